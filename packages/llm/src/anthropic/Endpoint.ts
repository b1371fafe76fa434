import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { Redacted } from "effect"
import type { Call, ProviderOptions } from "../Provider.ts"
import type { Endpoint } from "../Target.ts"

/** Anthropic's own options beside those of every provider. */
export interface AnthropicOptions extends ProviderOptions {
  /** How the key is sent. Undefined: as `x-api-key`, but for tokens of a login (`sk-ant-oat…`), which are bearer tokens. */
  readonly auth?: "x-api-key" | "bearer" | undefined
}

export const baseUrlOf = ({ baseUrl }: ProviderOptions): string => baseUrl ?? "https://api.anthropic.com"

/** The version of the API that is asked for where neither the client nor the configuration names one. */
const VERSION = "2023-06-01"

/**
 * `POST {base URL}/v1/messages`; `/v1` may be the end of the base URL already. A client of the same dialect decides about version and
 * beta features.
 */
export const endpointOf = (
  options: AnthropicOptions,
  path: "messages" | "messages/count_tokens",
  { origin }: ModelRequest,
  { key }: Call
): Endpoint => {
  const url = new URL(baseUrlOf(options))
  const base = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname
  url.pathname = `${base.endsWith("/v1") ? base : `${base}/v1`}/${path}`
  return {
    url,
    headers: {
      accept: "application/json, text/event-stream",
      // Compression would deliver many tokens at once. Some servers compress nevertheless.
      "accept-encoding": "identity",
      "content-type": "application/json",
      "user-agent": "llm-saas",
      "anthropic-version": options.apiVersion ?? VERSION,
      ...Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, Redacted.value(value)])),
      ...(origin?.dialect === "anthropic" ? origin.headers : {}),
      ...(key === undefined ? {} : authOf(Redacted.value(key), options.auth))
    }
  }
}

const authOf = (key: string, auth: AnthropicOptions["auth"]): Readonly<Record<string, string>> =>
  (auth ?? (key.startsWith("sk-ant-oat") ? "bearer" : "x-api-key")) === "bearer"
    ? { authorization: `Bearer ${key}` }
    : { "x-api-key": key }
