import { GenerationId } from "@llm-saas/domain/Generation"
import { Schema, SchemaGetter } from "effect"

/** A UUID, or how the doors under `/v1` name an answer: a prefix of their API, and the digits of the generation's UUID. */
const REF = /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:chatcmpl-|resp_|msg_)[0-9a-fA-F]{32})$/u

const PREFIXED = /^[a-z]+[_-]([0-9a-fA-F]{32})$/u

/**
 * An answer, by its generation's id, or by the id that a door under `/v1` gave it: `chatcmpl-…`, `resp_…`, `msg_…`. Decoded: the
 * generation's id.
 */
export const AnswerRef = Schema.String.check(
  Schema.isPattern(REF, { expected: "a generation's id, or the id of an answer under /v1" })
).pipe(
  Schema.decodeTo(GenerationId, {
    decode: SchemaGetter.transform((ref) => {
      const digits = PREFIXED.exec(ref)?.[1] ?? ref
      return digits
        .toLowerCase()
        .replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})(?=[0-9a-f]{12}$)/u, "$1-$2-$3-$4-")
    }),
    encode: SchemaGetter.passthrough()
  })
)
