import { assert } from "@effect/vitest"
import type { AnswerEnd, AnswerHead, AnswerWriter } from "@llm-saas/dialects/AnswerWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import fc from "fast-check"

// Answers as events, and what a client makes of them.

export const GENERATION = "0190a0b0-c0d0-7e0f-8123-456789abcdef"
export const ID = "msg_0190a0b0c0d07e0f8123456789abcdef"

export const HEAD: AnswerHead = {
  generationId: GENERATION,
  createdAt: 1_700_000_000,
  model: "an-alias",
  request: { model: "an-alias", max_tokens: 100, messages: [{ role: "user", content: "What is a room?" }] }
}

export const END: AnswerEnd = {
  finishReason: "stop",
  usage: { input: 12, output: 34 },
  model: "claude-sonnet-5"
}

export const entriesOf = (pieces: ReadonlyArray<ModelPiece>): ReadonlyArray<string> =>
  pieces.map((piece) => (typeof piece === "string" ? piece : entryOf(piece)))

/** The events that a client reads. Each has its type as its name, and its data in one line. */
export const eventsIn = (text: string): ReadonlyArray<JsonObject> =>
  text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/u.exec(frame) ?? assert.fail(`no event: ${frame}`)
      const event: unknown = JSON.parse(data ?? "")
      assert(isJsonObject(event))
      assert.strictEqual(name, event["type"])
      return event
    })

export const written = (writer: AnswerWriter, entries: ReadonlyArray<string>, end: AnswerEnd = END) =>
  eventsIn(writer.begin() + entries.map(writer.entry).join("") + writer.end(end))

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 12 })
const count = fc.nat({ max: 100_000 })
/** Members that are not known. */
const more = fc.dictionary(fc.constantFrom("x_new", "x_other"), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 1 })

const object = (value: unknown): JsonObject => {
  const parsed: unknown = JSON.parse(JSON.stringify(value))
  return isJsonObject(parsed) ? parsed : assert.fail("no object")
}

const deltaOf = (index: number, delta: JsonObject, extra: object): JsonObject =>
  object({ type: "content_block_delta", index, delta: { ...delta, ...extra } })

const pieces = (value: string): ReadonlyArray<string> => value.match(/[^]{1,5}/gu) ?? []

/** A block, as its events. */
const block = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("text"), texts: fc.array(text, { maxLength: 6 }), more }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("thinking"), texts: fc.array(text, { maxLength: 4 }), more }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("tool_use", "server_tool_use"),
      texts: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 })).map((input) => pieces(JSON.stringify(input))),
      more
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("redacted_thinking"), texts: fc.constant([]), more }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("x_new_block"), texts: fc.array(text, { maxLength: 2 }), more })
  }
)

const STARTS: Readonly<Record<string, JsonObject>> = {
  text: { text: "" },
  thinking: { thinking: "", signature: "" },
  tool_use: { id: "toolu_1", name: "look", input: {} },
  server_tool_use: { id: "srvtoolu_1", name: "web_search", input: {} },
  redacted_thinking: { data: "c2VjcmV0" }
}

const deltaIn = (kind: string, value: string): JsonObject => {
  if (kind === "text") return { type: "text_delta", text: value }
  if (kind === "thinking") return { type: "thinking_delta", thinking: value }
  return kind === "x_new_block" ? { type: "x_new_delta", x: value } : { type: "input_json_delta", partial_json: value }
}

/** The events of a whole answer, as Anthropic sends them, with members and types that nobody knows. */
export const answers = fc
  .record({
    blocks: fc.array(block, { maxLength: 5 }),
    input: count,
    cached: fc.option(count, { nil: null }),
    output: count,
    stop: fc.constantFrom("end_turn", "tool_use", "max_tokens", "pause_turn", "refusal", "x_new_reason"),
    more
  })
  .map(({ blocks, cached, input, more, output, stop }) => [
    object({
      type: "message_start",
      message: {
        id: "msg_upstream",
        type: "message",
        role: "assistant",
        model: "claude-sonnet-5",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: input, cache_read_input_tokens: cached, output_tokens: 1 },
        ...more
      }
    }),
    ...blocks.flatMap(({ kind, more, texts }, index) => [
      object({ type: "content_block_start", index, content_block: { type: kind, ...STARTS[kind], ...more } }),
      ...texts.map((value) => deltaOf(index, deltaIn(kind, value), more)),
      ...(kind === "thinking" ? [deltaOf(index, { type: "signature_delta", signature: "c2ln" }, {})] : []),
      object({ type: "content_block_stop", index })
    ]),
    object({ type: "x_new_event", ...more }),
    object({
      type: "message_delta",
      delta: { stop_reason: stop, stop_sequence: null, ...more },
      usage: { output_tokens: output }
    }),
    object({ type: "message_stop", ...more })
  ])
