import type { Llm } from "@llm-saas/engine/generations/Llm"
import type { Layer, Redacted } from "effect"
import type { Proxies } from "./Agents.ts"
import { make } from "./OpenAiProvider.ts"
import { oneModel } from "./routes/OneModel.ts"
import * as RoutedLlm from "./routes/RoutedLlm.ts"

export { make } from "./OpenAiProvider.ts"

/** One model: the provider's address, the model's parameters, and timeouts. */
export interface OpenAiOptions {
  readonly model: string
  /** Maximum tokens of the answer. */
  readonly maxTokens: number
  /** Undefined: the model's default. */
  readonly temperature: number | undefined
  /** Undefined for servers without authentication. */
  readonly apiKey: Redacted.Redacted | undefined
  /** With its path: `http://localhost:11434/v1`. Undefined: OpenAI's. */
  readonly baseUrl: string | undefined
  /** Selects Azure's classic API: the model is the deployment's name, and the base URL the resource's, without a path. */
  readonly azureApiVersion: string | undefined
  /** Forward proxies; undefined: none. */
  readonly proxies?: Proxies | undefined
  /** Until the connection is open, with TLS. */
  readonly connectMs: number
  /** From there until the first part of the answer. */
  readonly firstTokenMs: number
  /** Between two pieces of the answer. */
  readonly silenceMs: number
  /** The whole answer, with all retries. */
  readonly answerMs: number
  /** Maximum retries, while nothing of the answer was shown. */
  readonly retries: number
}

/** One model behind an API like OpenAI's, asked by the rules of a route. */
export const OpenAiLayer = (options: OpenAiOptions): Layer.Layer<Llm> => {
  const { answerMs, apiKey, azureApiVersion, baseUrl, maxTokens, proxies, retries, ...target } = options
  const provider = { baseUrl, apiVersion: azureApiVersion, headers: {}, proxies, key: apiKey }
  return RoutedLlm.layer(
    oneModel(
      { ...provider, name: "openai", type: "openai", keyPolicy: "installation" },
      { target: { ...target, maxOutputTokens: maxTokens }, retries },
      answerMs
    ),
    make
  )
}
