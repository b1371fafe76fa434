import { generationOf, placeOf } from "@llm-saas/dialects/responses/ResponsesIds"
import type { Earlier } from "@llm-saas/dialects/responses/ResponsesRequest"
import { needsOf } from "@llm-saas/dialects/responses/ResponsesRequest"
import { inputItems, turnOf } from "@llm-saas/dialects/responses/ResponsesTurns"
import { outputItems } from "@llm-saas/dialects/responses/ResponsesWhole"
import type { Mistake } from "@llm-saas/dialects/RequestFields"
import { GenerationId, GenerationNotFound } from "@llm-saas/domain/Generation"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import type { Generations } from "@llm-saas/engine/generations/Generations"
import type { MessageId } from "@llm-saas/domain/Message"
import { Data, Effect, Result } from "effect"
import type { RequestBodies } from "./RequestBodies.ts"
import { headOf, type Repeated } from "./AnswerForm.ts"

/** How many responses may come before one, and how many characters they may have together. */
const MOST_RESPONSES = 200
const MOST_CHARACTERS = 16_000_000
/** Room is taken in steps of this many characters: what is less is not counted, as with bodies. */
const STEP = 2_000_000

/** A response that was asked before. */
export interface Kept {
  readonly generationId: GenerationId
  readonly messageId: MessageId
  readonly request: Repeated
  readonly body: JsonObject
  readonly entries: ReadonlyArray<string>
  /** Undefined while it runs. */
  readonly ended: GenerationEnd | undefined
}

/** A request cannot continue the response that it names. `code`: undefined where the request is at fault. */
export class CannotContinue extends Data.TaggedError("CannotContinue")<{
  readonly mistake: Mistake
  readonly code?: "previous_response_not_found"
}> {}

export const make = (generations: Generations["Service"], bodies: RequestBodies["Service"]) => {
  /** A response by its id. One with `store: false` cannot be found. */
  const find = Effect.fnUntraced(function* (id: string) {
    const generationId = generationOf(id)
    return yield* generationId === undefined ? Effect.fail(absent) : ofGeneration(GenerationId.make(generationId))
  })

  const ofGeneration = Effect.fnUntraced(function* (id: GenerationId) {
    const { ended, entries, generationId, messageId, request, source } = yield* generations.record(id)
    const body = source === "responses" && request !== null ? parsed(request) : undefined
    if (body === undefined || body["store"] === false) return yield* absent
    const { model } = body
    const kept: Kept = {
      generationId,
      messageId,
      request: { model: typeof model === "string" ? model : "", origin: { dialect: "responses", body } },
      body,
      entries,
      ended
    }
    return kept
  })

  /** What a body takes from earlier responses. They take room like a body, for as long as the scope. */
  const before = Effect.fnUntraced(function* (body: JsonObject) {
    const { items: ids, previous: first } = needsOf(body)
    if (first === undefined && ids.length === 0) return { ...NOTHING, characters: 0 }
    const chain: Array<Kept> = []
    const references = new Set(ids)
    let [characters, held] = [0, 0]
    for (let previous = first; previous !== undefined;) {
      const kept = yield* Effect.catchTag(find(previous), "GenerationNotFound", () => Effect.fail(notFound))
      if (kept.ended === undefined) return yield* running
      characters += sizeOf(kept)
      if (chain.push(kept) > MOST_RESPONSES || characters > MOST_CHARACTERS) return yield* tooLong
      held = yield* holding(held, characters)
      const needs = needsOf(kept.body)
      for (const id of needs.items) references.add(id)
      previous = needs.previous
    }
    const { found: referenced, characters: all } = yield* itemsOf(references, characters, held)
    const items = chain.toReversed().flatMap((kept) => turnOf(kept.body, outputOf(kept), referenced))
    return { items, referenced, characters: all }
  })

  /** Takes room for what has been read since the last time, once that is much. Returns for how much there is room. */
  const holding = (held: number, characters: number) =>
    characters - held < STEP ? Effect.succeed(held) : Effect.as(bodies.hold(characters - held), characters)

  /** Items by their ids. Those that are not there are left out. */
  const itemsOf = Effect.fnUntraced(function* (ids: ReadonlySet<string>, before: number, room: number) {
    let [characters, held] = [before, room]
    const found = new Map<string, JsonObject>()
    const places = [...ids].flatMap((id) => {
      const place = placeOf(id)
      return place === undefined ? [] : [{ id, ...place }]
    })
    const generationIds = [...new Set(places.map(({ generationId }) => generationId))]
    if (generationIds.length > MOST_RESPONSES) return yield* tooLong
    for (const generationId of generationIds) {
      const kept = yield* Effect.catchTag(
        ofGeneration(GenerationId.make(generationId)),
        "GenerationNotFound",
        () => Effect.undefined
      )
      if (kept === undefined) continue
      characters += sizeOf(kept)
      if (characters > MOST_CHARACTERS) return yield* tooLong
      held = yield* holding(held, characters)
      const sides = { output: outputOf(kept), input: inputItems(generationId, kept.body) }
      for (const place of places) {
        const item = place.generationId === generationId ? sides[place.side][place.index] : undefined
        if (item !== undefined) found.set(place.id, item)
      }
    }
    return { found, characters }
  })

  return { find, before }
}

/** Characters of a response's input and output. */
const sizeOf = ({ body, entries }: Kept): number =>
  entries.reduce((sum, { length }) => sum + length, JSON.stringify(body["input"] ?? "").length)

const NOTHING: Earlier = { items: [], referenced: new Map() }

const outputOf = ({ entries, generationId, request }: Kept) => outputItems(headOf(request, generationId), entries)

const parsed = (text: string): JsonObject | undefined => {
  const value = Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  return isJsonObject(value) ? value : undefined
}

const absent = new GenerationNotFound({ detail: "There is no response with this id that you may see." })

const PARAM = "previous_response_id"
const notFound = new CannotContinue({
  mistake: { param: PARAM, message: "There is no response with this id that you may see." },
  code: "previous_response_not_found"
})
const running = new CannotContinue({
  mistake: { param: PARAM, message: "The response has not ended yet. Continue it when it has." }
})
const tooLong = new CannotContinue({
  mistake: {
    param: PARAM,
    message: `More than ${MOST_RESPONSES} responses come before this one, or they are too long together. Send the items in \`input\`.`
  }
})
