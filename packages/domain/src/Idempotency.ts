import { Schema, SchemaGetter } from "effect"
import { Problem } from "./ProblemClass.ts"

/** The client's name for one operation: a repeated request with the same key gets the same answer, and is not carried out again. */
export const IdempotencyKey = Schema.String.check(
  Schema.isPattern(/^[!-~]{1,255}$/u, { expected: "1 to 255 visible ASCII characters" })
)

/** The header `Idempotency-Key`. An empty header counts as none. */
export const IdempotencyKeyHeader = Schema.String.check(
  Schema.isPattern(/^[!-~]{0,255}$/u, { expected: "at most 255 visible ASCII characters" })
).pipe(
  Schema.decodeTo(Schema.UndefinedOr(IdempotencyKey), {
    decode: SchemaGetter.transform((text) => (text === "" ? undefined : text)),
    encode: SchemaGetter.transform((key) => key ?? "")
  })
)

/** The key was used for another request. */
export class IdempotencyMismatch extends Problem<IdempotencyMismatch>()(
  "IdempotencyMismatch",
  "idempotency_mismatch",
  {}
) {}
