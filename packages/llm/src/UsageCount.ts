import { Predicate } from "effect"

/** Tokens as a provider counted them; `thoughts` are the reasoning tokens in the output. */
export interface UsageCount {
  readonly input: number
  readonly output: number
  readonly thoughts: number
}

/** Reads the counts from where providers put them: the event, its choice (Moonshot), or a member of its own (Groq). */
export const countIn = (event: Readonly<Record<PropertyKey, unknown>>): UsageCount | undefined => {
  const { usage, x_groq: groq } = event
  return countOf(usage) ?? (Predicate.hasProperty(groq, "usage") ? countOf(groq.usage) : undefined)
}

/** Combines counts that may come with every event: they only grow, so later zeros are ignored. */
export const laterCount = (before: UsageCount | undefined, now: UsageCount | undefined): UsageCount | undefined => {
  if (before === undefined || now === undefined) return now ?? before
  return {
    input: Math.max(before.input, now.input),
    output: Math.max(before.output, now.output),
    thoughts: Math.max(before.thoughts, now.thoughts)
  }
}

const countOf = (usage: unknown): UsageCount | undefined => {
  if (!Predicate.isObject(usage)) return undefined
  const counts: Readonly<Record<PropertyKey, unknown>> = usage
  const input = counts["prompt_tokens"] ?? counts["input_tokens"]
  const output = counts["completion_tokens"] ?? counts["output_tokens"]
  const details = counts["completion_tokens_details"] ?? counts["output_tokens_details"]
  const thoughts = Predicate.hasProperty(details, "reasoning_tokens") ? details.reasoning_tokens : undefined
  return isCount(input) && isCount(output) ? { input, output, thoughts: isCount(thoughts) ? thoughts : 0 } : undefined
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647
