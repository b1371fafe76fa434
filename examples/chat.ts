// A chat in the terminal: `npm start` in one, `npm run example:chat` in another (or `node examples/chat.ts`, with Node ≥ 22.18). Ctrl-C stops an answer, and
// at the prompt the chat. LLM_URL, LLM_EMAIL and LLM_PASSWORD say where and who; without them it makes a tenant and an account to try.
import { createClient, LlmSaasError } from "@llm-saas/client"
import { createInterface } from "node:readline/promises"

const { LLM_EMAIL, LLM_PASSWORD, LLM_URL = "http://localhost:8000" } = process.env
const client = createClient({ url: LLM_URL })

if (LLM_EMAIL === undefined || LLM_PASSWORD === undefined) {
  const account = { email: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() }
  const { id } = await client.tenants.create({ name: "A chat in the terminal" })
  await client.register({ ...account, tenant_id: id })
  await client.login({ ...account, tenant_id: id })
  console.log(`You are ${account.email}, of a tenant of your own.`)
} else await client.login({ email: LLM_EMAIL, password: LLM_PASSWORD })

const conversation = await client.conversations.create()
const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: "\n> " })
let answering: AbortController | undefined
let open = true
terminal.on("SIGINT", () => (answering === undefined ? terminal.close() : answering.abort()))
terminal.on("close", () => (open = false))
terminal.prompt()
for await (const content of terminal) {
  answering = new AbortController()
  try {
    const question = { content, conversation_id: conversation.id }
    // The client reopens a lost connection and continues with the next token.
    for await (const token of client.messages.stream(question, { signal: answering.signal }).tokens())
      process.stdout.write(token)
  } catch (error) {
    if (answering.signal.aborted) process.stdout.write(" … stopped")
    else if (error instanceof LlmSaasError) console.error(`${error.message} (${error.code})`)
    else throw error
  }
  answering = undefined
  console.log()
  if (open) terminal.prompt()
}
