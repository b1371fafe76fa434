import { Redacted } from "effect"
import OpenAI, { AzureOpenAI } from "openai"
import type { Proxies } from "./Agents.ts"
import type { Asked } from "./Dialect.ts"
import type { ProviderRequest } from "./ProviderRequest.ts"

/** The provider's address, the model's parameters, and timeouts in milliseconds. */
export interface OpenAiOptions extends Asked {
  /** Undefined for servers without authentication. */
  readonly apiKey: Redacted.Redacted | undefined
  /** With its path: `http://localhost:11434/v1`. Undefined: OpenAI's. */
  readonly baseUrl: string | undefined
  /** Selects Azure's classic API: the model is the deployment's name, and the base URL the resource's, without a path. */
  readonly azureApiVersion: string | undefined
  /** Forward proxies; undefined: none. */
  readonly proxies?: Proxies | undefined
  /** Until the connection is open, with TLS. */
  readonly connect: number
  /** From there until the first part of the answer. */
  readonly firstToken: number
  /** Between two pieces of the answer. */
  readonly silence: number
  /** The whole question, with all retries. */
  readonly whole: number
  /** Maximum retries, while nothing of the answer was shown. */
  readonly retries: number
}

export const baseUrlOf = ({ baseUrl }: OpenAiOptions): string => baseUrl ?? "https://api.openai.com/v1"

/** A client for one question (20 µs), with its own `fetch`. All options are given, because the library reads others from the environment. */
export const clientOf = (options: OpenAiOptions, fetch: ProviderRequest["fetch"]): OpenAI => {
  const key = options.apiKey === undefined ? undefined : Redacted.value(options.apiKey)
  const common = {
    apiKey: key ?? "none",
    ...(key === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    fetch,
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: "off" as const
  }
  const baseURL = baseUrlOf(options)
  if (options.azureApiVersion === undefined) return new OpenAI({ ...common, baseURL })
  const bare = new URL(baseURL).pathname === "/"
  return new AzureOpenAI({
    ...common,
    apiVersion: options.azureApiVersion,
    baseURL: bare ? new URL("/openai", baseURL).href : baseURL
  })
}
