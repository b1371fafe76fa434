import { Option, Result, Schema, SchemaGetter } from "effect"
import * as Base64Url from "effect/encoding/Base64Url"
import { KeyId } from "./ApiKey.ts"
import { type Decimal, parse, plain } from "./Decimal.ts"
import { GenerationId } from "./Generation.ts"
import { decimal } from "./Page.ts"
import { isText, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** What usage is grouped by. `key`: the API key; `door`: the API that was called. */
export const DIMENSIONS = ["day", "user", "key", "model", "door"] as const
export const Dimension = Schema.Literals(DIMENSIONS)
export type Dimension = typeof Dimension.Type

const GROUPS = `some of ${DIMENSIONS.join(", ")}, with commas between them and none twice`

const isGrouping = (text: string): boolean => {
  const names = text.split(",")
  return names.every((name) => Schema.is(Dimension)(name)) && new Set(names).size === names.length
}

/** Dimensions in a query string: `user,day`. */
export const GroupBy = Schema.String.check(
  Schema.makeFilter((text) => (isGrouping(text) ? undefined : `Expected ${GROUPS}`), {
    expected: GROUPS,
    toJsonSchema: () => ({ pattern: `^(?:${DIMENSIONS.join("|")})(?:,(?:${DIMENSIONS.join("|")})){0,4}$` })
  })
).pipe(
  Schema.decodeTo(Schema.Array(Dimension), {
    decode: SchemaGetter.transform((text) => text.split(",").filter((name) => Schema.is(Dimension)(name))),
    encode: SchemaGetter.transform((names) => names.join(","))
  })
)

const DAY = /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/u
const A_DAY = "a day as in 2026-11-30"

const isDay = (text: string): boolean => {
  const at = new Date(`${text}T00:00:00Z`)
  // JavaScript makes the 2nd of March of the 30th of February.
  return DAY.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

/** A calendar day in UTC. */
export const Day = Schema.String.check(
  Schema.makeFilter((text) => (isDay(text) ? undefined : `Expected ${A_DAY}`), {
    expected: A_DAY,
    toJsonSchema: () => ({ format: "date", pattern: "^[1-9]" })
  })
)

/** Most rows of a page. */
export const MOST_ROWS = 1000
export const RowLimit = decimal({ minimum: 1, maximum: MOST_ROWS })

/** Where the next page starts: what the last row is grouped by, as JSON in base64url. */
export const UsageCursor = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{2,4000}$/u, { expected: "a next_cursor from an earlier page" })
)

const Values = Schema.fromJsonString(Schema.Array(Schema.String))

/** The cursor behind a row with these values of what it is grouped by. */
export const cursorOf = (values: ReadonlyArray<string>): string => Base64Url.encode(JSON.stringify(values))

/** The values in a cursor; undefined if it is none of a page that is grouped so. */
export const valuesOf = (cursor: string, groups: ReadonlyArray<Dimension>): ReadonlyArray<string> | undefined => {
  const values = Option.getOrUndefined(
    Option.flatMap(Option.fromUndefinedOr(Result.getOrUndefined(Base64Url.decodeString(cursor))), (text) =>
      Schema.decodeUnknownOption(Values)(text)
    )
  )
  return values?.length === groups.length && groups.every((group, n) => IS_OF[group](values[n] ?? ""))
    ? values
    : undefined
}

const isId = Schema.is(Schema.String.check(uuid))
const isName = (text: string) => isText(text) && text.length <= 1000
const IS_OF: Readonly<Record<Dimension, (value: string) => boolean>> = {
  day: isDay,
  user: isId,
  key: isId,
  model: isName,
  door: isName
}

/** A row of the report: the members it is grouped by, and the sums. */
export class UsageRow extends Schema.Class<UsageRow>("UsageRow")({
  day: Schema.optionalKey(Schema.String),
  /** Null: of no user, as a correction can be. */
  user_id: Schema.optionalKey(Schema.NullOr(UserId)),
  /** Null: a login. */
  key_id: Schema.optionalKey(Schema.NullOr(KeyId)),
  model: Schema.optionalKey(Schema.String),
  door: Schema.optionalKey(Schema.String),
  requests: Schema.Int,
  /** Answers that failed or were interrupted. */
  errors: Schema.Int,
  /** Answers of which a price or a count is not known, so that they are in `cost_usd` with what is known. */
  unpriced: Schema.Int,
  /** Tokens, and others, by what is paid for: each is in one of them. */
  units: Schema.Record(Schema.String, Schema.Finite),
  cost_usd: Schema.String,
  latency_p50_ms: Schema.NullOr(Schema.Finite),
  latency_p95_ms: Schema.NullOr(Schema.Finite),
  ttft_p50_ms: Schema.NullOr(Schema.Finite),
  ttft_p95_ms: Schema.NullOr(Schema.Finite)
}) {}

/** One answer, or a correction, as the export has it. */
export class UsageEntry extends Schema.Class<UsageEntry>("UsageEntry")({
  id: Schema.String,
  at: Schema.String,
  kind: Schema.Literals(["usage", "correction"]),
  generation_id: Schema.NullOr(GenerationId),
  user_id: Schema.NullOr(UserId),
  key_id: Schema.NullOr(KeyId),
  door: Schema.NullOr(Schema.String),
  provider: Schema.String,
  model: Schema.String,
  status: Schema.NullOr(Schema.String),
  units: Schema.Record(Schema.String, Schema.Finite),
  cost_usd: Schema.String,
  latency_ms: Schema.NullOr(Schema.Finite),
  ttft_ms: Schema.NullOr(Schema.Finite),
  note: Schema.NullOr(Schema.String)
}) {}

/** An amount in US dollars as the contract writes it: every digit, and two behind the point at least. */
export const dollars = (amount: Decimal): string => {
  const [whole = "0", fraction = ""] = plain(parse(amount)).split(".")
  return `${whole}.${fraction.padEnd(2, "0")}`
}
