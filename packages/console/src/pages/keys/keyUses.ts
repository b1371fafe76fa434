import type { NewApiKey } from "@llm-saas/client"
import { SERVER_URL } from "../../Place.ts"

/** A command of a shell that the key can do. */
export const commandOf = ({ key, models, scopes }: Pick<NewApiKey, "key" | "models" | "scopes">): string => {
  const authorization = `-H "Authorization: Bearer ${key}"`
  if (!scopes.includes("chat")) return `curl ${SERVER_URL}/v1/key ${authorization}`
  const model = models?.[0]
  const question = JSON.stringify({ content: "Hello", ...(model === undefined ? {} : { model }) })
  // A quote ends what a shell takes as it is.
  const quoted = question.replaceAll("'", `'\\''`)
  return `curl ${SERVER_URL}/messages ${authorization} -H "Content-Type: application/json" -d '${quoted}'`
}

/** Programs that ask with the key by the SDKs of OpenAI and Anthropic, by the SDK's name. `model` is one that it may ask. */
export const programsOf = (key: string, model: string): Readonly<Record<string, string>> => {
  const [address, v1, secret, name] = [SERVER_URL, `${SERVER_URL}/v1`, key, model].map((text) => JSON.stringify(text))
  return {
    "OpenAI for Python": `from openai import OpenAI

client = OpenAI(base_url=${v1}, api_key=${secret})
answer = client.chat.completions.create(model=${name}, messages=[{"role": "user", "content": "Hello"}])
print(answer.choices[0].message.content)`,
    "OpenAI for Node": `import OpenAI from "openai"

const client = new OpenAI({ baseURL: ${v1}, apiKey: ${secret} })
const answer = await client.chat.completions.create({ model: ${name}, messages: [{ role: "user", content: "Hello" }] })
console.log(answer.choices[0].message.content)`,
    "Anthropic for Python": `from anthropic import Anthropic

client = Anthropic(base_url=${address}, api_key=${secret})
answer = client.messages.create(model=${name}, max_tokens=256, messages=[{"role": "user", "content": "Hello"}])
print(answer.content[0].text)`
  }
}
