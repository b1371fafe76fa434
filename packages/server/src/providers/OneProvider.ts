import type { Configuration, Route } from "@llm-saas/llm/routes/Configuration"
import { perOne } from "@llm-saas/domain/Decimal"
import type { PriceList } from "@llm-saas/domain/Price"
import { oneModel } from "@llm-saas/llm/routes/OneModel"
import type { Settings } from "../config/Settings.ts"
import { defaultsOf } from "./Defaults.ts"

/** The mock's vectors, as a model of their own. */
const embedding = (model: Route): Route => ({
  ...model,
  alias: "mock-embedding",
  kind: "embeddings",
  targets: model.targets.map((each) => ({ ...each, target: { ...each.target, model: "mock-embedding" } }))
})

/** What the settings say that the model costs. Undefined: what the price book says. */
const priceOf = ({
  LLM_PRICE_INPUT_PER_MILLION: input,
  LLM_PRICE_OUTPUT_PER_MILLION: output
}: Settings["Service"]): PriceList | undefined =>
  input === undefined || output === undefined
    ? undefined
    : [
        { id: null, unit: "input", tierStart: 0, price: perOne(String(input), 1_000_000) },
        { id: null, unit: "output", tierStart: 0, price: perOne(String(output), 1_000_000) }
      ]

/** The configuration without a PROVIDERS_FILE: one provider with one model, as LLM_PROVIDER, LLM_MODEL and OPENAI_* say. */
export const oneProvider = (settings: Settings["Service"]): Configuration => {
  const { answerMs, connectMs, firstTokenMs, proxies, retries, silenceMs, temperature } = defaultsOf(settings)
  const times = { connectMs, firstTokenMs, silenceMs }
  if (settings.LLM_PROVIDER === "mock") {
    const provider = { name: "mock", type: "mock", baseUrl: undefined, apiVersion: undefined } as const
    const target = { ...times, model: "mock-1", maxOutputTokens: undefined, temperature: undefined }
    const one = oneModel(
      { ...provider, headers: {}, proxies: undefined, key: undefined, keyPolicy: "installation" },
      { target, retries: 0, price: priceOf(settings) },
      answerMs
    )
    return { ...one, models: one.models.flatMap((model) => [model, embedding(model)]) }
  }
  return oneModel(
    {
      name: "openai",
      type: settings.OPENAI_API_VERSION === undefined ? "openai" : "azure",
      baseUrl: settings.OPENAI_BASE_URL,
      apiVersion: settings.OPENAI_API_VERSION,
      // OpenAI itself has it.
      responses: settings.OPENAI_BASE_URL === undefined && settings.OPENAI_API_VERSION === undefined,
      headers: {},
      proxies,
      key: settings.OPENAI_API_KEY,
      keyPolicy: "prefer_tenant"
    },
    {
      target: {
        ...times,
        model: settings.LLM_MODEL,
        maxOutputTokens: undefined,
        defaultMaxTokens: settings.LLM_MAX_TOKENS,
        temperature
      },
      retries,
      price: priceOf(settings)
    },
    answerMs
  )
}
