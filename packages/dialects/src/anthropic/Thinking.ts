import type { JsonObject } from "@llm-saas/domain/Json"
import type { Reasoning } from "@llm-saas/domain/ModelRequest"
import type { Drops } from "./Dropped.ts"

/** How thoughts are asked for: members of the body, none if the model decides. */
export interface Thinking {
  readonly thinking?: JsonObject
  /** Of `output_config`. */
  readonly effort?: string
  /** Whether the body asks for thoughts. Sampling and a forced call of a tool are refused beside them. */
  readonly on: boolean
}

const OFF: Thinking = { on: false }

/** Least budget that is taken. */
const LEAST_TOKENS = 1024
/** Tokens of thoughts for an effort, for models that have no efforts of their own. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768
}
/** The part of `max_tokens` that thoughts may take, as the answer is counted in it too. */
const SHARE = 0.8

/**
 * The wish for thoughts as this dialect has it. Newer models decide themselves how long they think, and take an effort (`adaptive`); older
 * ones, and other providers that speak this dialect, need a budget. See
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking.
 */
export const thinkingOf = (
  reasoning: Reasoning | undefined,
  model: string,
  maxTokens: number,
  drops: Drops
): Thinking => {
  const { budgetTokens, effort, summary } = reasoning ?? {}
  if (effort === "none") return { thinking: { type: "disabled" }, on: false }
  if (budgetTokens === undefined && effort === undefined) return OFF
  // OpenAI's `auto`, `concise` and `detailed` are all a summary.
  const display = summary === undefined ? {} : { display: summary === "omitted" ? "omitted" : "summarized" }
  if (budgetTokens === undefined && isAdaptive(model))
    return {
      thinking: { type: "adaptive", ...display },
      effort: effort === "minimal" ? "low" : (effort ?? "medium"),
      on: true
    }
  const wanted = budgetTokens ?? BUDGETS[effort ?? "medium"] ?? BUDGETS["medium"] ?? LEAST_TOKENS
  const budget = Math.min(wanted, Math.floor(maxTokens * SHARE))
  if (budget < LEAST_TOKENS) {
    drops.add("reasoning")
    return OFF
  }
  return { thinking: { type: "enabled", budget_tokens: budget, ...display }, on: true }
}

/** Claude from 4.6 on: `claude-opus-4-6`, `claude-sonnet-5`; not `claude-3-7-sonnet-latest`, `claude-opus-4-20250514`. */
const isAdaptive = (model: string): boolean => {
  if (!/claude/iu.test(model)) return false
  const [, major, minor] = VERSION.exec(model) ?? []
  return major === undefined || Number(major) > 4 || (major === "4" && Number(minor ?? 0) >= 6)
}
const VERSION = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/iu
