import { Redacted } from "effect"
import OpenAI, { AzureOpenAI } from "openai"
import type { Proxies } from "./Agents.ts"
import type { Asked } from "./Dialect.ts"
import type { ProviderRequest } from "./ProviderRequest.ts"

/** Where the provider is, what it is asked, and how long anything may take. Times are in milliseconds. */
export interface OpenAiOptions extends Asked {
  /** Undefined for servers that ask for none. */
  readonly apiKey: Redacted.Redacted | undefined
  /** With its path: `http://localhost:11434/v1`. Undefined: OpenAI's own. */
  readonly baseUrl: string | undefined
  /** Makes it Azure's classic API: the model is the deployment's name, and the base URL the resource's, without a path. */
  readonly azureApiVersion: string | undefined
  /** The forward proxies on the way; undefined: none. */
  readonly proxies?: Proxies | undefined
  /** Until a connection stands, TLS included. */
  readonly connect: number
  /** From there until the first of the answer. */
  readonly firstToken: number
  /** Between two pieces of the answer. */
  readonly silence: number
  /** All of it, with what is tried again. */
  readonly whole: number
  /** How often a question is asked again, as long as nothing of the answer was shown. */
  readonly retries: number
}

export const baseUrlOf = ({ baseUrl }: OpenAiOptions): string => baseUrl ?? "https://api.openai.com/v1"

/** A client for one question, 20 µs: its `fetch` is that question's. All is given, for it would look into the environment for the rest. */
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
