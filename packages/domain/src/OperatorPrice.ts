import { Schema } from "effect"
import { Amount } from "./Limit.ts"
import { UNITS } from "./Price.ts"
import { Problem } from "./ProblemClass.ts"
import { line, uuid } from "./Text.ts"

// Prices of providers, as the operator sees and sets them.

export const PriceId = Schema.String.check(uuid).pipe(Schema.brand("PriceId"))
export type PriceId = typeof PriceId.Type

const LARGEST_STEP = 2_000_000_000

const members = {
  /** As the configuration calls the provider, or as the prices that came with the program do. */
  provider: line(100),
  model: line(200),
  unit: Schema.Literals(UNITS),
  /** US dollars for `per` of the unit, as a decimal text. */
  amount: Amount
}

const tier = Schema.String.check(Schema.isPattern(/^[a-z0-9_-]{1,40}$/u, { expected: "a tier of service" }))
const step = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: LARGEST_STEP }, { expected: `a whole number from 0 to ${LARGEST_STEP}` })
)
/** Powers of ten, so that the price of one is exact. */
const PER: ReadonlyArray<number> = [1, 1000, 1_000_000]
const per = Schema.Int.check(
  Schema.makeFilter((number) => (PER.includes(number) ? undefined : `Expected one of ${PER.join(", ")}`), {
    expected: `one of ${PER.join(", ")}`,
    toJsonSchema: () => ({ minimum: 1, maximum: 1_000_000, enum: [...PER] })
  })
)

/** A price to add: from `since`, or now. The operator's own price of the same thing ends then. */
export const PriceChoice = Schema.Struct({
  ...members,
  per: Schema.optionalKey(per),
  service_tier: Schema.optionalKey(tier),
  tier_start: Schema.optionalKey(step)
}).annotate({ identifier: "PriceChoice" })
export type PriceChoice = typeof PriceChoice.Type

/** The price with every member. */
export const completed = ({
  per = 1_000_000,
  service_tier = "standard",
  tier_start = 0,
  ...rest
}: PriceChoice): Required<PriceChoice> => ({ ...rest, per, service_tier, tier_start })

export class OperatorPrice extends Schema.Class<OperatorPrice>("OperatorPrice")({
  id: PriceId,
  provider: Schema.String,
  model: Schema.String,
  unit: members.unit,
  service_tier: Schema.String,
  /** Paid for all tokens of a request with more tokens of input than these. */
  tier_start: Schema.Int,
  per: Schema.Int,
  amount: Schema.String,
  /** Null: from the beginning. */
  since: Schema.NullOr(Schema.DateTimeUtcFromString),
  until: Schema.NullOr(Schema.DateTimeUtcFromString),
  source: Schema.String,
  /** The operator's own counts instead of one that came with the program. */
  own: Schema.Boolean
}) {}

/** There is no own price with this id that holds. */
export class PriceNotFound extends Problem<PriceNotFound>()("PriceNotFound", "price_not_found", {}) {}
