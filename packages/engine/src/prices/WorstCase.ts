import { parse } from "@llm-saas/domain/Decimal"
import type { Json } from "@llm-saas/domain/Json"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { type Parts, priceOf, worstCase } from "@llm-saas/domain/Price"
import { BigDecimal } from "effect"
import type { ModelInfo } from "../generations/Llm.ts"
import type { PriceBook } from "./PriceBook.ts"

/** What a question costs at most, and by what it is paid if its process is lost. */
export interface Forecast {
  /** US dollars. */
  readonly worst: string
  readonly prices: { readonly input: UnitPrice; readonly output: UnitPrice }
}

/** In the spelling of `app.generations.admission`. */
export interface UnitPrice {
  readonly price_id: string | null
  readonly price: string
}

const NOTHING: UnitPrice = { price_id: null, price: "0" }

/**
 * The worst case of a question, whichever of the model's targets answers it, by the prices of this time in milliseconds since 1970.
 * Undefined: one of them has no price.
 */
export const worstCaseOf = (
  book: PriceBook["Service"],
  at: number,
  model: Pick<ModelInfo, "pricing">,
  request: ModelRequest | undefined,
  input: number,
  output: number
): Forecast | undefined => {
  if (model.pricing === undefined) return undefined
  const parts = partsOf(request)
  const asked = request?.origin?.body["service_tier"]
  const tiers = typeof asked === "string" ? [undefined, asked] : [undefined]
  let worst: string | undefined
  let prices: Forecast["prices"] | undefined
  for (const pricing of model.pricing)
    for (const tier of tiers) {
      const list = book.pricesOf(pricing, at, tier)
      const one = list && worstCase(input, output, list, parts)
      if (list === undefined || one === undefined) return undefined
      if (worst === undefined || BigDecimal.isGreaterThan(parse(one), parse(worst))) worst = one
      const [ins, outs] = [priceOf("input", input, list), priceOf("output", input, list)]
      prices ??= {
        input: ins === undefined ? NOTHING : { price_id: ins.id, price: ins.price },
        output: outs === undefined ? NOTHING : { price_id: outs.id, price: outs.price }
      }
    }
  // Only tenants' own keys are used: it costs the installation nothing.
  return { worst: worst ?? "0", prices: prices ?? { input: NOTHING, output: NOTHING } }
}

const partsOf = (request: ModelRequest | undefined): Parts => {
  if (request === undefined) return {}
  const found = { audio: false, image: false }
  for (const item of request.input)
    if (item.type === "message" || item.type === "tool_result")
      for (const { type } of item.parts) {
        if (type === "audio") found.audio = true
        if (type === "image" || type === "file") found.image = true
      }
  const { body, dialect } = request.origin ?? {}
  const modalities = body?.["modalities"]
  return {
    ...found,
    speaks: Array.isArray(modalities) && modalities.includes("audio"),
    cacheHour: dialect === "anthropic" && body !== undefined && hasHour(body, 0)
  }
}

/** Marks of a cache are in blocks of messages, tools and the system's instructions: no deeper than this. */
const DEEPEST = 8

const hasHour = (value: Json | undefined, depth: number): boolean => {
  if (typeof value !== "object" || value === null || depth > DEEPEST) return false
  if (isList(value)) return value.some((each) => hasHour(each, depth + 1))
  const mark = value["cache_control"]
  if (typeof mark === "object" && mark !== null && !isList(mark) && mark["ttl"] === "1h") return true
  return Object.values(value).some((each) => hasHour(each, depth + 1))
}

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
