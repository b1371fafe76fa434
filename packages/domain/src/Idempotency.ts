import { Schema, SchemaGetter } from "effect"
import { HttpApiError } from "effect/http-api"
import { members, problem } from "./Problem.ts"

/** A name for one attempt to do something, chosen by the client: repeating it repeats the answer, not what was done. */
export const IdempotencyKey = Schema.String.check(
  Schema.isPattern(/^[!-~]{1,255}$/u, { expected: "1 to 255 visible ASCII characters" })
)

/** The key as the header `Idempotency-Key` has it. An empty header is none. */
export const IdempotencyKeyHeader = Schema.String.check(
  Schema.isPattern(/^[!-~]{0,255}$/u, { expected: "at most 255 visible ASCII characters" })
).pipe(
  Schema.decodeTo(Schema.UndefinedOr(IdempotencyKey), {
    decode: SchemaGetter.transform((text) => (text === "" ? undefined : text)),
    encode: SchemaGetter.transform((key) => key ?? "")
  })
)

/** The key was used for another request. */
export class IdempotencyMismatch extends HttpApiError.Problem<IdempotencyMismatch>()(
  "IdempotencyMismatch",
  problem("idempotency_mismatch"),
  members("idempotency_mismatch")
) {}
