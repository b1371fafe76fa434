import { GenerationId, Seq } from "@llm-saas/domain/Generation"
import { Schema, SchemaGetter } from "effect"

const EVENT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:(?:0|[1-9][0-9]{0,9})$/iu

/** A place in an answer, as the `id` of an event names it: `<generation>:<seq>`. What was received up to it is not sent again. */
export const EventId = Schema.String.check(
  Schema.isPattern(EVENT_ID, { expected: "the id of an event of a stream, <generation>:<seq>" })
).pipe(
  Schema.decodeTo(Schema.Struct({ generationId: GenerationId, seq: Seq }), {
    decode: SchemaGetter.transform((text) => {
      const [generationId = "", seq] = text.toLowerCase().split(":")
      return { generationId, seq: Number(seq) }
    }),
    encode: SchemaGetter.transform(({ generationId, seq }) => `${generationId}:${seq}`)
  })
)
export type EventId = typeof EventId.Type

/** A token's place in a query string: the stream goes on behind it. 0 is the beginning. */
export const After = Schema.String.check(
  Schema.isPattern(/^(?:0|[1-9][0-9]{0,9})$/u, { expected: "a whole number in decimal digits" })
).pipe(
  Schema.decodeTo(Seq, {
    decode: SchemaGetter.transform((text) => Number(text)),
    encode: SchemaGetter.transform((seq) => String(seq))
  })
)
