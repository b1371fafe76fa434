import { FailureReason } from "@llm-saas/domain/Generation"
import { line } from "@llm-saas/domain/Text"
import { Schema } from "effect"
import { PLACE, PriceEntry } from "./PriceEntry.ts"
import { BaseUrl, Key } from "../config/Variable.ts"

// The form of PROVIDERS_FILE, entry by entry. docs/providers.md explains every member; a test keeps the two equal.

const whole = (unit: string, minimum: number, maximum: number) =>
  Schema.Finite.check(
    Schema.makeFilter((number) => Number.isInteger(number) && number >= minimum && number <= maximum, {
      expected: `a whole number of ${unit}, ${minimum} to ${maximum}`
    })
  )
const within = (expected: string, minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.makeFilter((number) => number >= minimum && number <= maximum, { expected }))
const seconds = (maximum: number) => within(`a number of seconds, 0.001 to ${maximum}`, 0.001, maximum)
const matching = (pattern: RegExp, expected: string) => Schema.String.check(Schema.isPattern(pattern, { expected }))

const tokens = whole("tokens", 1, 100_000_000)
const environmentName = matching(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/u, "the name of an environment variable")

/** For the times and retries of a provider, of one model and of one target: the innermost counts. */
const times = {
  connect_seconds: Schema.optionalKey(seconds(3600)),
  first_token_seconds: Schema.optionalKey(seconds(86_400)),
  silence_seconds: Schema.optionalKey(seconds(86_400)),
  retries: Schema.optionalKey(whole("times", 0, 10))
}
export type Times = Schema.Struct.Type<typeof times>

/** What a model costs, of one model and of one target: the innermost counts. */
const cost = {
  price: Schema.optionalKey(PriceEntry),
  prices: Schema.optionalKey(matching(PLACE, "a provider of the price book, or provider/model"))
}

export const ProviderEntry = Schema.Struct({
  type: Schema.Literals(["openai", "azure", "anthropic", "mock"]),
  base_url: Schema.optionalKey(BaseUrl),
  api_version: Schema.optionalKey(matching(/^[\w.-]{1,50}$/u, "a version such as 2024-10-21, as text")),
  responses: Schema.optionalKey(Schema.Boolean),
  api_key_env: Schema.optionalKey(environmentName),
  api_key_file: Schema.optionalKey(line(1000)),
  api_key: Schema.optionalKey(Key),
  key: Schema.optionalKey(Schema.Literals(["installation", "prefer_tenant", "tenant_only"])),
  headers: Schema.optionalKey(
    Schema.Record(
      Schema.String,
      Schema.Union([
        matching(/^[\x20-\x7e]{0,4096}$/u, "a header's value of visible ASCII characters"),
        Schema.Struct({ env: environmentName })
      ])
    )
  ),
  ...times
})
export type ProviderEntry = typeof ProviderEntry.Type

export const TargetEntry = Schema.Struct({
  provider: Schema.String,
  /** Default: the alias. */
  model: Schema.optionalKey(line(200)),
  weight: Schema.optionalKey(within("a number, 0 to 1000000", 0, 1_000_000)),
  temperature: Schema.optionalKey(within("a number, 0 to 2", 0, 2)),
  max_output_tokens: Schema.optionalKey(tokens),
  ...cost,
  ...times
})
export type TargetEntry = typeof TargetEntry.Type

/** Failures that a provider can be at the bottom of. */
const REASONS = FailureReason.literals.filter(
  (reason) =>
    reason !== "answer_too_long" && reason !== "shutdown" && reason !== "process_lost" && reason !== "internal"
)
const WORDS: ReadonlySet<string | number> = new Set(["4xx", "5xx", ...REASONS])
const isFallback = (value: string | number): boolean =>
  WORDS.has(value) || (typeof value === "number" && Number.isInteger(value) && value >= 400 && value <= 599)

export const ModelEntry = Schema.Struct({
  kind: Schema.optionalKey(Schema.Literals(["chat", "embeddings"])),
  strategy: Schema.optionalKey(Schema.Literals(["single", "fallback", "loadbalance"])),
  fallback_on: Schema.optionalKey(
    Schema.Array(
      Schema.Union([Schema.Finite, Schema.String]).check(
        Schema.makeFilter(isFallback, {
          expected: "a status such as 429, 4xx or 5xx, or a provider's failure such as model_timeout"
        })
      )
    )
  ),
  targets: Schema.Array(TargetEntry).check(Schema.isMinLength(1, { expected: "at least one target" })),
  context_window: Schema.optionalKey(tokens),
  max_output_tokens: Schema.optionalKey(tokens),
  created: Schema.optionalKey(
    Schema.String.check(
      Schema.makeFilter((text) => /^\d{4}-\d\d-\d\d$/u.test(text) && !Number.isNaN(Date.parse(text)), {
        expected: "a day such as 2025-08-07"
      })
    )
  ),
  answer_seconds: Schema.optionalKey(seconds(86_400)),
  ...cost,
  ...times
})
export type ModelEntry = typeof ModelEntry.Type

/** The file, without what is in its entries. */
export const Outline = Schema.Struct({
  providers: Schema.Record(Schema.String, Schema.Unknown),
  models: Schema.Record(Schema.String, Schema.Unknown),
  default_model: Schema.optionalKey(Schema.String)
})

/** Names of providers: they are in records, metrics and prices. */
export const PROVIDER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/u
/** Names of models as clients write them: `gpt-5`, `claude/sonnet`, `llama3.2:1b`. */
export const ALIAS = /^[\x21-\x7e]{1,200}$/u
export const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/u
/** Headers that are the program's own. */
export const OWN_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])
