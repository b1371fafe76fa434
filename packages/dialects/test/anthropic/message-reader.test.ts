import { assert, describe, it } from "@effect/vitest"
import { messageAnswer } from "@llm-saas/dialects/anthropic/MessageAnswer"
import { MessageReader, type ReaderOptions } from "@llm-saas/dialects/anthropic/MessageReader"
import { messageWriter } from "@llm-saas/dialects/anthropic/MessageWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece, pieceOf, visibleText } from "@llm-saas/domain/ModelEvent"
import fc from "fast-check"
import { answers, END, entriesOf, HEAD, ID, written } from "./Events.ts"

const read = (
  events: ReadonlyArray<JsonObject | string>,
  mode: ReaderOptions["mode"],
  customTools?: ReadonlySet<string>
) => {
  const pieces: Array<ModelPiece> = []
  const reader = new MessageReader((piece) => pieces.push(piece), { mode, customTools })
  for (const event of events) reader.data(typeof event === "string" ? event : JSON.stringify(event))
  return { pieces, reader }
}

/** As a client of ours gets it: with our id. */
const withOurId = (event: JsonObject): JsonObject =>
  event["type"] === "message_start" && isJsonObject(event["message"])
    ? { ...event, message: { ...event["message"], id: ID } }
    : event

const START: JsonObject = {
  type: "message_start",
  message: {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-20260901",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 20,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 40,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 1
    }
  }
}
const block = (index: number, content: JsonObject, ...deltas: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => [
  { type: "content_block_start", index, content_block: content },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]
const say = (text: string): JsonObject => ({ type: "text_delta", text })
const stop = (
  reason: string,
  more: JsonObject = {},
  usage: JsonObject = { output_tokens: 7 }
): ReadonlyArray<JsonObject> => [
  { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null, ...more }, usage },
  { type: "message_stop" }
]
const TEXT = block(0, { type: "text", text: "" }, say("Hello"), say(", "), say("room."))

describe("an answer of Anthropic's, for a client of Anthropic's", () => {
  it("comes out as it went in, whatever it is, but for its id", () => {
    fc.assert(
      fc.property(answers, (events) => {
        const { pieces, reader } = read(events, "raw")
        assert.isUndefined(reader.broken)
        // Through the log and back.
        const entries = entriesOf(pieces)
        assert.deepStrictEqual(written(messageWriter(HEAD), entries), events.map(withOurId))
        for (const entry of entries) {
          assert.notStrictEqual(entry, "")
          const piece = pieceOf(entry)
          if (typeof piece !== "string") assert.strictEqual(entryOf(piece), entry)
        }
      })
    )
  })

  it("shows the same text in both modes, and as a whole", () => {
    fc.assert(
      fc.property(answers, (events) => {
        const shown = (pieces: ReadonlyArray<ModelPiece>) => pieces.map(visibleText).join("")
        const raw = read(events, "raw").pieces
        assert.strictEqual(shown(raw), shown(read(events, "canonical").pieces))
        const { content } = messageAnswer(HEAD, entriesOf(raw), END)
        const texts = Array.isArray(content) ? content.map((each) => (each.type === "text" ? each.text : "")) : []
        assert.strictEqual(texts.join(""), shown(raw))
      })
    )
  })

  it("stores text as text once it knows how its events are written", () => {
    const { pieces } = read(
      [START, ...block(0, { type: "text", text: "" }, say("a"), say("b"), say("c"), say("d\n")), ...stop("end_turn")],
      "raw"
    )
    assert.deepStrictEqual(
      pieces.map((piece) => (typeof piece === "string" ? piece : piece.type)),
      ["raw", "raw", "raw", "shape", "b", "c", "d\n", "raw", "raw"]
    )
  })

  it("stores text without a shape where every event has another one", () => {
    const events = ["a", "b", "c"].map((text, at) => ({
      type: "content_block_delta",
      index: 0,
      delta: say(text),
      p: at
    }))
    const { pieces } = read(
      [START, { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }, ...events],
      "raw"
    )
    assert.deepStrictEqual(
      pieces.slice(2).map((piece) => [visibleText(piece), typeof piece]),
      [
        ["a", "object"],
        ["b", "object"],
        ["c", "object"]
      ]
    )
  })

  it("says nothing before the first block, so that the request may be sent again", () => {
    const { pieces, reader } = read([START, { type: "ping" }], "raw")
    assert.isFalse(reader.said)
    assert.deepStrictEqual(pieces, [])
  })

  it("is one piece if it was not streamed", () => {
    const body = {
      id: "msg_01",
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "Hi" }],
      stop_reason: "end_turn",
      x_new: [1]
    }
    const pieces: Array<ModelPiece> = []
    const reader = new MessageReader((piece) => pieces.push(piece), { mode: "raw" })
    reader.whole(body)
    assert.deepStrictEqual(pieces, [{ type: "raw", dialect: "anthropic", event: body, text: "Hi" }])
    assert.deepStrictEqual(messageAnswer(HEAD, entriesOf(pieces), END), { ...body, id: ID })
    assert.deepStrictEqual([reader.finishReason, reader.done], ["stop", true])
    const events = written(messageWriter(HEAD), entriesOf(pieces))
    assert.deepStrictEqual(
      events.map(({ type }) => type),
      [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop"
      ]
    )
  })
})

describe("an answer of Anthropic's, for any client", () => {
  it("is text, thoughts, calls, citations and their end", () => {
    const { pieces, reader } = read(
      [
        START,
        { type: "ping" },
        ...block(
          0,
          { type: "thinking", thinking: "", signature: "" },
          { type: "thinking_delta", thinking: "Hm" },
          { type: "signature_delta", signature: "sig" }
        ),
        ...block(1, { type: "redacted_thinking", data: "enc" }),
        ...block(2, { type: "text", text: "" }, say("Hello"), {
          type: "citations_delta",
          citation: { type: "char_location" }
        }),
        ...block(
          3,
          { type: "server_tool_use", id: "s", name: "web_search", input: {} },
          { type: "input_json_delta", partial_json: "{}" }
        ),
        ...block(
          4,
          { type: "tool_use", id: "toolu_a", name: "look", input: {} },
          { type: "input_json_delta", partial_json: "" },
          { type: "input_json_delta", partial_json: '{"a":' },
          { type: "input_json_delta", partial_json: "1}" }
        ),
        ...block(5, { type: "tool_use", id: "toolu_b", name: "now", input: {} }),
        ...block(6, { type: "tool_use", id: "toolu_c", name: "whole", input: { b: 2 } }),
        { type: "x_new_event" },
        ...stop(
          "tool_use",
          {},
          {
            output_tokens: 50,
            output_tokens_details: { thinking_tokens: 9 },
            server_tool_use: { web_search_requests: 2 }
          }
        )
      ],
      "canonical"
    )
    assert.deepStrictEqual(pieces, [
      { type: "reasoning", text: "Hm" },
      { type: "signature", signature: "sig" },
      { type: "encrypted", data: "enc" },
      "Hello",
      { type: "annotation", dialect: "anthropic", value: { type: "char_location" } },
      { type: "tool_call", call: 0, id: "toolu_a", name: "look" },
      { type: "tool_call", call: 0, arguments: '{"a":' },
      { type: "tool_call", call: 0, arguments: "1}" },
      { type: "tool_call", call: 1, id: "toolu_b", name: "now" },
      { type: "tool_call", call: 1, arguments: "{}" },
      { type: "tool_call", call: 2, id: "toolu_c", name: "whole" },
      { type: "tool_call", call: 2, arguments: '{"b":2}' }
    ])
    assert.strictEqual(reader.finishReason, "tool_calls")
    assert.deepStrictEqual([reader.model, reader.id, reader.done], ["claude-sonnet-5-20260901", "msg_01", true])
    assert.deepStrictEqual(reader.usage, {
      input: 90,
      output: 50,
      details: { cacheRead: 40, cacheWrite: 10, cacheWrite1h: 20, reasoning: 9, searches: 2 }
    })
  })

  it("gives a custom tool its text", () => {
    const { pieces } = read(
      [
        START,
        ...block(
          0,
          { type: "tool_use", id: "t", name: "patch", input: {} },
          { type: "input_json_delta", partial_json: '{"input":"a' },
          { type: "input_json_delta", partial_json: '\\nb"}' }
        ),
        ...stop("tool_use")
      ],
      "canonical",
      new Set(["patch"])
    )
    assert.deepStrictEqual(pieces, [
      { type: "tool_call", call: 0, id: "t", name: "patch", custom: true },
      { type: "tool_call", call: 0, arguments: "a\nb" }
    ])
  })

  it("knows why it ended", () => {
    const reasons: ReadonlyArray<readonly [string, string]> = [
      ["end_turn", "stop"],
      ["stop_sequence", "stop"],
      ["max_tokens", "length"],
      ["model_context_window_exceeded", "length"],
      ["tool_use", "tool_calls"],
      ["refusal", "content_filter"],
      ["pause_turn", "other"],
      ["x_new", "other"]
    ]
    for (const [reason, finish] of reasons)
      assert.strictEqual(read([START, ...TEXT, ...stop(reason)], "canonical").reader.finishReason, finish)
    const { pieces, reader } = read([START, ...TEXT, ...stop("stop_sequence", { stop_sequence: "END" })], "canonical")
    assert.deepStrictEqual(pieces.at(-1), { type: "finish", reason: "stop", stopSequence: "END" })
    assert.strictEqual(reader.stopSequence, "END")
  })

  it("says the same whether it was streamed or not", () => {
    fc.assert(
      fc.property(answers, (events) => {
        const raw = read(events, "raw")
        const whole = messageAnswer(HEAD, entriesOf(raw.pieces), END)
        const pieces: Array<ModelPiece> = []
        const reader = new MessageReader((piece) => pieces.push(piece), { mode: "canonical" })
        reader.whole(whole)
        const streamed = read(events, "canonical")
        assert.deepStrictEqual(
          messageAnswer(HEAD, entriesOf(pieces), END),
          messageAnswer(HEAD, entriesOf(streamed.pieces), END)
        )
        assert.strictEqual(reader.finishReason, streamed.reader.finishReason)
        assert.deepStrictEqual(reader.usage, streamed.reader.usage)
      })
    )
  })

  it("counts what a later event counts again, and what came only once", () => {
    const { reader } = read(
      [
        START,
        ...TEXT,
        ...stop(
          "end_turn",
          {},
          { input_tokens: 25, cache_creation_input_tokens: 35, cache_read_input_tokens: null, output_tokens: 3 }
        )
      ],
      "canonical"
    )
    assert.deepStrictEqual(reader.usage, {
      input: 100,
      output: 3,
      details: { cacheRead: 40, cacheWrite: 15, cacheWrite1h: 20 }
    })
  })
})

describe("an answer that is not whole", () => {
  it("has no end without a stop reason", () => {
    for (const mode of ["raw", "canonical"] as const) {
      assert.isUndefined(read([START, ...TEXT], mode).reader.finishReason)
      const ended = read([START, ...TEXT, { type: "message_stop" }], mode)
      assert.isDefined(ended.reader.broken)
    }
  })

  it("has none with the reason of a server that gave up, which no client is told as an end", () => {
    for (const mode of ["raw", "canonical"] as const)
      for (const reason of ["error", "ABORTED", "upstream_timeout"]) {
        const { pieces, reader } = read([START, ...TEXT, ...stop(reason)], mode)
        assert.isDefined(reader.error)
        assert.notInclude(JSON.stringify(pieces), reason)
        const whole = new MessageReader((piece) => pieces.push(piece), { mode })
        whole.whole({ type: "message", content: [], stop_reason: reason })
        assert.isDefined(whole.error)
        assert.notInclude(JSON.stringify(pieces), reason)
      }
  })

  it("is one with an error in it, and nothing is read after it", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }
    for (const mode of ["raw", "canonical"] as const) {
      const { pieces, reader } = read([START, ...TEXT, error, ...stop("end_turn")], mode)
      assert.deepStrictEqual(reader.error, error)
      assert.strictEqual(pieces.map(visibleText).join(""), "Hello, room.")
      assert.isUndefined(reader.finishReason)
    }
    const early = read([START, error], "raw")
    assert.isFalse(early.reader.said)
    const plain: Array<ModelPiece> = []
    const reader = new MessageReader((piece) => plain.push(piece), { mode: "raw" })
    reader.data("upstream connect error", "error")
    assert.isDefined(reader.error)
  })

  it("is never taken for one, whatever it is cut from", () => {
    fc.assert(
      fc.property(answers, fc.nat(), fc.constantFrom("raw" as const, "canonical" as const), (events, at, mode) => {
        const end = events.findIndex(({ type }) => type === "message_delta")
        const { reader } = read(events.slice(0, at % (end + 1)), mode)
        assert.isUndefined(reader.finishReason)
      })
    )
  })

  it("is bounded, and throws nothing, whatever is sent", () => {
    const anything = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
      fc
        .record(
          {
            type: fc.constantFrom(
              "message_start",
              "content_block_start",
              "content_block_delta",
              "content_block_stop",
              "message_delta",
              "message_stop",
              "message",
              "error",
              "x"
            ),
            index: fc.anything(),
            message: fc.jsonValue(),
            content: fc.jsonValue(),
            content_block: fc.oneof(
              fc.jsonValue(),
              fc.record({
                type: fc.constantFrom("text", "tool_use", "thinking"),
                text: fc.jsonValue(),
                name: fc.jsonValue(),
                input: fc.jsonValue()
              })
            ),
            delta: fc.oneof(
              fc.jsonValue(),
              fc.record({
                type: fc.constantFrom("text_delta", "input_json_delta", "signature_delta", "citations_delta"),
                text: fc.jsonValue(),
                partial_json: fc.jsonValue()
              })
            ),
            usage: fc.jsonValue()
          },
          { requiredKeys: ["type"] }
        )
        .map((event) => JSON.stringify(event) ?? "")
    )
    fc.assert(
      fc.property(
        fc.array(anything, { maxLength: 20 }),
        fc.constantFrom("raw" as const, "canonical" as const),
        (datas, mode) => {
          const { pieces } = read(datas, mode)
          const entries = entriesOf(pieces)
          assert.isFalse(pieces.includes(""))
          written(messageWriter(HEAD), entries)
          messageAnswer(HEAD, entries, END)
        }
      )
    )
  })

  it("may have ten thousand tools and a megabyte of arguments, in linear time", () => {
    const before = performance.now()
    const many = Array.from({ length: 10_001 }, (_, index) => ({
      type: "content_block_start",
      index,
      content_block: { type: "tool_use", id: `t${index}`, name: "x", input: {} }
    }))
    assert.isDefined(read([START, ...many], "canonical").reader.broken)
    const calls = many.slice(0, 10_000).flatMap((start, index) => [start, { type: "content_block_stop", index }])
    const { pieces, reader } = read([START, ...calls, ...stop("tool_use")], "canonical")
    assert.isUndefined(reader.broken)
    assert.lengthOf(pieces, 20_000)
    assert.lengthOf(written(messageWriter(HEAD), entriesOf(pieces)), 30_003)
    const half = "x".repeat(50)
    const huge = block(
      0,
      { type: "tool_use", id: "t", name: "x", input: {} },
      { type: "input_json_delta", partial_json: '{"a":"' },
      ...Array.from({ length: 40_000 }, () => ({ type: "input_json_delta", partial_json: half })),
      { type: "input_json_delta", partial_json: '"}' }
    )
    const { content } = messageAnswer(HEAD, entriesOf(read([START, ...huge, ...stop("tool_use")], "raw").pieces), END)
    assert.lengthOf(
      JSON.stringify(content),
      2_000_000 + JSON.stringify([{ type: "tool_use", id: "t", name: "x", input: { a: "" } }]).length
    )
    assert.isBelow(performance.now() - before, 10_000)
  })
})
