import { GenerationId, Seq } from "@llm-saas/domain/Generation"
import { decimal } from "@llm-saas/domain/Page"
import { Schema, SchemaGetter } from "effect"

// At most 9 digits: no answer has a billion tokens.
const EVENT_ID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:(?:0|[1-9][0-9]{0,8})$/u
const EVENT_ID_OR_NOTHING = /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:(?:0|[1-9][0-9]{0,8}))?$/u
const expected = "the id of an event of a stream, <generation>:<seq>"

const Place = Schema.Struct({ generationId: GenerationId, seq: Seq })

const placeOf = (text: string) => {
  const [generationId = "", seq] = text.toLowerCase().split(":")
  return { generationId, seq: Number(seq) }
}

/**
 * A position in an answer, as in the `id` of an event: `<generation>:<seq>`. A resumed stream begins after it. The last event, `[DONE]`
 * or an error, has the position after the last token.
 */
export const EventId = Schema.String.check(Schema.isPattern(EVENT_ID, { expected })).pipe(
  Schema.decodeTo(Place, {
    decode: SchemaGetter.transform(placeOf),
    encode: SchemaGetter.transform(({ generationId, seq }) => `${generationId}:${seq}`)
  })
)
export type EventId = typeof EventId.Type

/** The last event a reader has. Readers send an empty value before they have one. */
export const LastEventId = Schema.String.check(Schema.isPattern(EVENT_ID_OR_NOTHING, { expected })).pipe(
  Schema.decodeTo(Schema.UndefinedOr(Place), {
    decode: SchemaGetter.transform((text) => (text === "" ? undefined : placeOf(text))),
    encode: SchemaGetter.transform((place) => (place === undefined ? "" : `${place.generationId}:${place.seq}`))
  })
)

/** For readers that cannot send the header: our name, and that of https://github.com/Yaffle/EventSource. The header takes precedence. */
export const lastEventIdQuery = {
  lastEventId: Schema.optionalKey(LastEventId),
  last_event_id: Schema.optionalKey(LastEventId)
}

/** A token's position in a query string: the stream continues after it. 0 is the beginning. */
export const After = decimal({ minimum: 0, maximum: 2_147_483_647 }).pipe(
  Schema.decodeTo(Seq, { decode: SchemaGetter.passthrough(), encode: SchemaGetter.passthrough() })
)
