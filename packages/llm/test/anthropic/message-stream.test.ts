import { assert, describe, it } from "@effect/vitest"
import { messageWriter } from "@llm-saas/dialects/anthropic/MessageWriter"
import { isJsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import { MessageStream } from "@llm-saas/llm/anthropic/MessageStream"
import { ProviderFailure } from "@llm-saas/llm/ProviderFailure"
import fc from "fast-check"
import { frame } from "./AskedAnthropic.ts"

const GENERATION = "0190a0b0-c0d0-7e0f-8123-456789abcdef"

const read = (parts: ReadonlyArray<Uint8Array>, mode: "raw" | "canonical") => {
  const pieces: Array<ModelPiece> = []
  const stream = new MessageStream((piece) => pieces.push(piece), { mode }, { texts: [], maxTokens: 0 })
  for (const part of parts) if (stream.push(part) !== undefined || stream.done) break
  return { pieces, stream, outcome: stream.end() }
}

const cutAt = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length]
  return places.slice(1).map((place, at) => bytes.subarray(places[at], place))
}

const delta = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => ({ type: "text_delta", text })),
  fc.constantFrom("one", " two", "\n", "[DONE]").map((text) => ({ type: "text_delta", text })),
  fc.string().map((partial_json) => ({ type: "input_json_delta", partial_json })),
  fc.string().map((thinking) => ({ type: "thinking_delta", thinking, x_new: true }))
)
const answers = fc
  .record({
    deltas: fc.array(delta, { maxLength: 12 }),
    usage: fc.record({ output_tokens: fc.nat(), x_new: fc.jsonValue({ maxDepth: 1 }) })
  })
  .map(({ deltas, usage }) => [
    { type: "message_start", message: { id: "msg_up", type: "message", model: "m", usage: { input_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...deltas.map((delta) => ({ type: "content_block_delta", index: 0, delta })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage },
    { type: "message_stop" }
  ])
const separators = fc.constantFrom("\n", "\r\n", "\r")

describe("the body of an answer of Anthropic's", () => {
  it("reaches a client of the same dialect as it is, wherever it was cut on the way", () => {
    fc.assert(
      fc.property(
        answers,
        fc.array(fc.nat(), { maxLength: 8 }),
        separators,
        fc.boolean(),
        (events, cuts, separator, pings) => {
          const text = events
            .map((event) => frame(event) + (pings ? 'event: ping\ndata: {"type": "ping"}\n\n: note\n\n' : ""))
            .join("")
          const bytes = new TextEncoder().encode(text.replaceAll("\n", separator))
          const { outcome, pieces } = read(cutAt(bytes, cuts), "raw")
          assert(!(outcome instanceof ProviderFailure))
          const writer = messageWriter({ generationId: GENERATION, createdAt: 1, model: "alias", request: {} })
          const written =
            pieces.map((piece) => writer.entry(typeof piece === "string" ? piece : entryOf(piece))).join("")
            + writer.end(outcome)
          const got = written
            .split("\n\n")
            .filter((each) => each !== "")
            .map((each): unknown => JSON.parse(each.slice(each.indexOf("\ndata: ") + 7)))
          const sent: ReadonlyArray<unknown> = JSON.parse(JSON.stringify(events))
          const ours = sent.map((event) =>
            isJsonObject(event) && isJsonObject(event["message"])
              ? { ...event, message: { ...event["message"], id: `msg_${GENERATION.replaceAll("-", "")}` } }
              : event
          )
          assert.deepStrictEqual(got, ours)
        }
      )
    )
  })

  it("is never whole if it was cut before its stop reason, and always if after", () => {
    fc.assert(
      fc.property(answers, fc.nat(), fc.constantFrom("raw" as const, "canonical" as const), (events, end, mode) => {
        const text = events.map(frame).join("")
        const bytes = new TextEncoder().encode(text)
        const stopped = new TextEncoder().encode(text.slice(0, text.indexOf("event: message_delta"))).length
        const place = end % bytes.length
        const { outcome } = read([bytes.subarray(0, place)], mode)
        // The event with the reason is whole once its JSON is.
        const reason = bytes.length - frame({ type: "message_stop" }).length - 2
        fc.pre(place <= stopped || place >= reason)
        assert.strictEqual(outcome instanceof ProviderFailure, place <= stopped)
      })
    )
  })

  it("throws nothing, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            fc.string().map((text) => new TextEncoder().encode(`data: ${text}\n\n`)),
            fc
              .constantFrom("event: error\n\n", "{", "[", "<", "data:\n\n", ":\n\n")
              .map((text) => new TextEncoder().encode(text))
          )
        ),
        (parts) => {
          const { outcome } = read(parts, "canonical")
          assert(outcome instanceof ProviderFailure)
        }
      )
    )
  })

  it("is not read for ever", () => {
    const space = new TextEncoder().encode(" ".repeat(1_000_000))
    const { outcome } = read(
      Array.from({ length: 20 }, () => space),
      "raw"
    )
    assert(outcome instanceof ProviderFailure)
    assert.strictEqual(outcome.reason, "model_malformed")
    const huge = new TextEncoder().encode(`data: {"type":"${"x".repeat(5_000_000)}`)
    const long = read([huge], "raw").outcome
    assert(long instanceof ProviderFailure)
    assert.strictEqual(long.reason, "model_malformed")
  })
})
