import type { Usage, UsageDetails } from "@llm-saas/domain/Usage"
import { Predicate } from "effect"

type Counts = Readonly<Record<PropertyKey, unknown>>

/** Reads the counts from where providers put them: the event, its choice (Moonshot), or a member of its own (Groq). */
export const countIn = (event: Counts): Usage | undefined => {
  const { usage, x_groq: groq } = event
  return countOf(usage) ?? (Predicate.hasProperty(groq, "usage") ? countOf(groq.usage) : undefined)
}

/** Combines counts that may come with every event: they only grow, so later zeros are ignored. */
export const laterCount = (before: Usage | undefined, now: Usage | undefined): Usage | undefined => {
  if (before === undefined || now === undefined) return now ?? before
  return {
    input: Math.max(before.input, now.input),
    output: Math.max(before.output, now.output),
    ...detailed(laterDetails(before.details ?? {}, now.details ?? {}))
  }
}

const laterDetails = (before: UsageDetails, now: UsageDetails): UsageDetails =>
  Object.fromEntries(
    DETAILS.map((name) => {
      const [one, other] = [before[name], now[name]]
      return [name, one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)]
    })
  )

const DETAILS = [
  "cacheRead",
  "cacheWrite",
  "cacheWrite1h",
  "audioInput",
  "imageInput",
  "reasoning",
  "audioOutput",
  "acceptedPrediction",
  "rejectedPrediction",
  "searches"
] as const

const countOf = (usage: unknown): Usage | undefined => {
  if (!Predicate.isObject(usage)) return undefined
  const counts: Counts = usage
  const input = counts["prompt_tokens"] ?? counts["input_tokens"]
  const output = counts["completion_tokens"] ?? counts["output_tokens"]
  if (!isCount(input) || !isCount(output)) return undefined
  const details = detailsOf(counts)
  const { reasoning = 0 } = details
  // xAI does not count thoughts as output.
  const isApart = reasoning > 0 && counts["total_tokens"] === input + output + reasoning
  return { input, output: isApart ? output + reasoning : output, ...detailed(details) }
}

const detailsOf = (counts: Counts): UsageDetails => {
  const input = inner(counts, "prompt_tokens_details", "input_tokens_details")
  const output = inner(counts, "completion_tokens_details", "output_tokens_details")
  const tools = inner(counts, "server_tool_use", "server_tool_use_details")
  return {
    // DeepSeek counts beside its input; gateways to Anthropic use its names.
    cacheRead: first(input["cached_tokens"], counts["prompt_cache_hit_tokens"], counts["cache_read_input_tokens"]),
    cacheWrite: first(
      input["cache_write_tokens"],
      input["cache_creation_tokens"],
      counts["cache_creation_input_tokens"]
    ),
    audioInput: first(input["audio_tokens"]),
    imageInput: first(input["image_tokens"]),
    reasoning: first(output["reasoning_tokens"]),
    audioOutput: first(output["audio_tokens"]),
    acceptedPrediction: first(output["accepted_prediction_tokens"]),
    rejectedPrediction: first(output["rejected_prediction_tokens"]),
    searches: first(counts["num_search_queries"], tools["web_search_requests"])
  }
}

const inner = (counts: Counts, one: string, other: string): Counts => {
  const found = counts[one] ?? counts[other]
  return Predicate.isObject(found) ? found : {}
}

const first = (...values: ReadonlyArray<unknown>): number | undefined => values.find(isCount)

/** Only the details that are known. */
const detailed = (details: UsageDetails): { readonly details?: UsageDetails } => {
  const known = Object.entries(details).filter(([, value]) => value !== undefined)
  return known.length === 0 ? {} : { details: Object.fromEntries(known) }
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647
