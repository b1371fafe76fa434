import { Redacted } from "effect"
import type { Proxies } from "./Agents.ts"
import type { ProviderOptions } from "./Provider.ts"

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

export const baseUrlOf = ({ baseUrl }: ProviderOptions): string => baseUrl ?? "https://api.openai.com/v1"

/** Where a question is sent to, and the headers that say who asks. */
export interface Endpoint {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/**
 * `POST {base URL}/chat/completions` with a bearer token; a query in the base URL stays. Azure's classic API instead has the deployment in
 * the path, the version in the query and the key in a header of its own
 * (https://learn.microsoft.com/azure/ai-services/openai/reference#chat-completions).
 */
export const endpointOf = (
  options: ProviderOptions,
  model: string,
  apiKey: Redacted.Redacted | undefined
): Endpoint => {
  const { apiVersion } = options
  const url = new URL(baseUrlOf(options))
  const base = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname
  const headers = {
    accept: "text/event-stream",
    // Compression would deliver many tokens at once. Some servers compress nevertheless.
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "llm-saas",
    ...Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, Redacted.value(value)]))
  }
  const key = apiKey === undefined ? undefined : Redacted.value(apiKey)
  if (apiVersion === undefined) {
    url.pathname = `${base}/chat/completions`
    return { url, headers: { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) } }
  }
  url.pathname = `${base === "" ? "/openai" : base}/deployments/${encodeURIComponent(model)}/chat/completions`
  url.searchParams.set("api-version", apiVersion)
  return { url, headers: { ...headers, ...(key === undefined ? {} : { "api-key": key }) } }
}
