import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { Usage, UsageDetails } from "@llm-saas/domain/Usage"

/** Counts as this dialect has them: input without what a cache gave or took. */
interface Counts {
  input?: number
  output?: number
  cacheRead?: number
  cacheWrite?: number
  cacheWrite5m?: number
  cacheWrite1h?: number
  reasoning?: number
  searches?: number
}

/** The tokens of one answer, as its events count them. Counts are cumulative: a later one replaces an earlier one. */
export class UsageReader {
  readonly #counts: Counts = {}
  /** How the answer was served: the fast mode has prices of its own, as a tier has. */
  tier: string | undefined = undefined

  read(usage: unknown): void {
    if (!isJsonObject(usage)) return
    const {
      cache_creation: created,
      output_tokens_details: details,
      server_tool_use: served,
      service_tier,
      speed
    } = usage
    if (speed === "fast") this.tier = speed
    else if (typeof service_tier === "string") this.tier ??= service_tier
    this.#set("input", usage["input_tokens"])
    this.#set("output", usage["output_tokens"])
    this.#set("cacheRead", usage["cache_read_input_tokens"])
    this.#set("cacheWrite", usage["cache_creation_input_tokens"])
    if (isJsonObject(created)) {
      this.#set("cacheWrite5m", created["ephemeral_5m_input_tokens"])
      this.#set("cacheWrite1h", created["ephemeral_1h_input_tokens"])
    }
    if (isJsonObject(details)) this.#set("reasoning", details["thinking_tokens"])
    if (isJsonObject(served)) this.#set("searches", served["web_search_requests"])
  }

  /** Undefined until input and output were counted. */
  get usage(): Usage | undefined {
    const { cacheRead, cacheWrite, cacheWrite1h, cacheWrite5m, input, output, reasoning, searches } = this.#counts
    if (input === undefined || output === undefined) return undefined
    // The sum is told last; its parts only at the beginning.
    const hour = cacheWrite === undefined ? cacheWrite1h : least(cacheWrite1h, cacheWrite)
    const written = cacheWrite === undefined ? cacheWrite5m : cacheWrite - (hour ?? 0)
    const details: UsageDetails = {
      ...(cacheRead === undefined ? {} : { cacheRead }),
      ...(written === undefined ? {} : { cacheWrite: written }),
      ...(hour === undefined ? {} : { cacheWrite1h: hour }),
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(searches === undefined ? {} : { searches })
    }
    return {
      input: input + (cacheRead ?? 0) + (written ?? 0) + (hour ?? 0),
      output,
      ...(Object.keys(details).length === 0 ? {} : { details })
    }
  }

  #set(name: keyof Counts, value: unknown): void {
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOST) this.#counts[name] = value
  }
}

/** More is no count. */
const MOST = 2_147_483_647

const least = (one: number | undefined, other: number): number | undefined =>
  one === undefined ? undefined : Math.min(one, other)

/** Counts in the words of this dialect. Those that the provider did not name are zero, as clients add them up. */
export const usageBody = ({ details = {}, input, output }: Usage): JsonObject => {
  const { cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0, reasoning, searches } = details
  return {
    input_tokens: Math.max(0, input - cacheRead - cacheWrite - cacheWrite1h),
    cache_creation_input_tokens: cacheWrite + cacheWrite1h,
    cache_read_input_tokens: cacheRead,
    output_tokens: output,
    ...(cacheWrite1h === 0
      ? {}
      : { cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: cacheWrite1h } }),
    ...(reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(searches === undefined ? {} : { server_tool_use: { web_search_requests: searches } })
  }
}
