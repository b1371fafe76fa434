import { Redacted } from "effect"
import type { ProviderOptions } from "./Provider.ts"

export const baseUrlOf = ({ baseUrl }: Pick<ProviderOptions, "baseUrl">): string =>
  baseUrl ?? "https://api.openai.com/v1"

/** Where a question is sent to, and the headers that say who asks. */
export interface Endpoint {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** What is asked of a model: the end of the path. */
export type Operation = "chat/completions" | "embeddings" | "responses"

/** One question's own part of an endpoint. */
interface Asked {
  readonly model: string
  /** Undefined for servers without authentication. */
  readonly key: Redacted.Redacted | undefined
  readonly operation: Operation
  /** Whether the answer is a stream of events. */
  readonly stream: boolean
  /** The client's own headers that belong to the dialect. */
  readonly more?: Readonly<Record<string, string>> | undefined
}

/**
 * `POST {base URL}/chat/completions` with a bearer token; a query in the base URL stays. Azure's classic API, which is chosen by its
 * version, instead has the deployment in the path, the version in the query and the key in a header of its own
 * (https://learn.microsoft.com/azure/ai-services/openai/reference#chat-completions).
 */
export const endpointOf = (options: ProviderOptions, { key, model, more, operation, stream }: Asked): Endpoint => {
  const { apiVersion } = options
  const url = new URL(baseUrlOf(options))
  const base = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname
  const headers = {
    ...more,
    accept: stream ? "text/event-stream" : "application/json",
    // Compression would deliver many tokens at once. Some servers compress nevertheless.
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "llm-saas",
    ...Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, Redacted.value(value)]))
  }
  const secret = key === undefined ? undefined : Redacted.value(key)
  if (apiVersion === undefined) {
    url.pathname = `${base}/${operation}`
    return { url, headers: { ...headers, ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) } }
  }
  url.pathname = `${base === "" ? "/openai" : base}/deployments/${encodeURIComponent(model)}/${operation}`
  url.searchParams.set("api-version", apiVersion)
  return { url, headers: { ...headers, ...(secret === undefined ? {} : { "api-key": secret }) } }
}
