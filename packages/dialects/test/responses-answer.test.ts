import { assert, describe, it } from "@effect/vitest"
import type { AnswerEnd, AnswerHead, DoorError } from "@llm-saas/dialects/AnswerWriter"
import { decodeResponses } from "@llm-saas/dialects/responses/ResponsesRequest"
import { itemId, placeOf } from "@llm-saas/dialects/responses/ResponsesIds"
import {
  outputItems,
  responsesFailed,
  responsesSoFar,
  responsesWhole
} from "@llm-saas/dialects/responses/ResponsesWhole"
import { responsesWriter } from "@llm-saas/dialects/responses/ResponsesWriter"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"

const GENERATION = "01234567-89ab-cdef-0123-456789abcdef"
const HEX = "0123456789abcdef0123456789abcdef"
const ID = `resp_${HEX}`

const headOf = (request: JsonObject = {}): AnswerHead => ({
  generationId: GENERATION,
  createdAt: 1_700_000_000,
  model: "m",
  request: { model: "m", input: "What is this?", ...request }
})
const END: AnswerEnd = { finishReason: "stop", usage: { input: 5, output: 3 }, model: "m-2026" }
const FAILURE: DoorError = { status: 502, code: "model_failed", message: "No.", requestId: "r" }
const entries = (pieces: ReadonlyArray<ModelPiece>) =>
  pieces.map((piece) => (typeof piece === "string" ? piece : entryOf(piece)))

/** The frames of an answer, in the groups that its writer gave back. */
const frames = (
  pieces: ReadonlyArray<ModelPiece>,
  { after, end = END, request = {} }: { after?: number; end?: AnswerEnd | DoorError; request?: JsonObject } = {}
): ReadonlyArray<JsonObject> => {
  const writer = responsesWriter(headOf(request), after)
  const wire =
    writer.begin()
    + entries(pieces).map(writer.entry).join("")
    + ("status" in end ? writer.failure(end) : writer.end(end))
  assert.isTrue(wire === "" || wire.endsWith("\n\n"))
  return wire
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => {
      const [event = "", data = "", ...rest] = frame.split("\n")
      assert.deepStrictEqual(rest, [])
      const value: unknown = JSON.parse(data.slice("data: ".length))
      if (!isJsonObject(value)) return assert.fail(frame)
      assert.strictEqual(event, `event: ${String(value["type"])}`)
      return value
    })
}
const typesOf = (events: ReadonlyArray<JsonObject>) => events.map(({ type }) => String(type).replace("response.", ""))
const objectIn = (event: JsonObject | undefined, name: string): JsonObject => {
  const found = event?.[name]
  return isJsonObject(found) ? found : assert.fail(`no ${name}`)
}
const listIn = (value: JsonObject, name: string): ReadonlyArray<JsonObject> => {
  const found = value[name]
  return Array.isArray(found) ? found.filter(isJsonObject) : assert.fail(`no ${name}`)
}

const text = fc.string({ minLength: 1, unit: "grapheme", maxLength: 8 })
const piece: fc.Arbitrary<ModelPiece> = fc.oneof(
  text,
  fc.record({ type: fc.constant("refusal" as const), text }),
  fc.record({ type: fc.constant("reasoning" as const), text }),
  fc.record({ type: fc.constant("signature" as const), signature: text }),
  fc.record({ type: fc.constant("encrypted" as const), data: text }),
  fc.record({
    type: fc.constant("tool_call" as const),
    call: fc.nat(2),
    name: fc.constant("f"),
    arguments: fc.option(text, { nil: undefined })
  }),
  fc.record({
    type: fc.constant("annotation" as const),
    dialect: fc.constant("chat" as const),
    value: fc.constant({ type: "url_citation", url_citation: { url: "https://a.example" } })
  }),
  fc.record({
    type: fc.constant("raw" as const),
    dialect: fc.constant("anthropic" as const),
    event: fc.constant({}),
    text
  })
)
const pieces = fc.array(piece, { maxLength: 30 })
const asked = fc.record(
  {
    background: fc.boolean(),
    reasoning: fc.constant({ summary: "auto" }),
    include: fc.constant(["reasoning.encrypted_content"])
  },
  { requiredKeys: [] }
)
const ending: fc.Arbitrary<AnswerEnd | DoorError> = fc.constantFrom<AnswerEnd | DoorError>(
  END,
  { ...END, finishReason: "length" },
  FAILURE
)

describe("a response as events", () => {
  it("has a message, and its text in deltas and whole", () => {
    const events = frames(["A ", "room."])
    assert.deepStrictEqual(typesOf(events), [
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed"
    ])
    assert.deepStrictEqual(events[4], {
      type: "response.output_text.delta",
      item_id: `msg_${HEX}00000`,
      output_index: 0,
      content_index: 0,
      logprobs: [],
      delta: "A ",
      sequence_number: 4
    })
    const first = objectIn(events[0], "response")
    assert.deepInclude(first, {
      id: ID,
      object: "response",
      created_at: 1_700_000_000,
      model: "m",
      status: "in_progress"
    })
    const last = objectIn(events.at(-1), "response")
    assert.deepInclude(last, { id: ID, status: "completed", model: "m-2026" })
    assert.deepStrictEqual(last["output"], [
      {
        id: `msg_${HEX}00000`,
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "A room.", annotations: [], logprobs: [] }]
      }
    ])
    assert.deepInclude(last["usage"], { input_tokens: 5, output_tokens: 3, total_tokens: 8 })
  })

  it("has thoughts, calls and text as items", () => {
    const events = frames(
      [
        { type: "reasoning", text: "hm" },
        { type: "signature", signature: "s" },
        { type: "tool_call", call: 0, id: "c0", name: "f", arguments: '{"a":' },
        { type: "tool_call", call: 1, id: "c1", name: "run", custom: true, arguments: "ls" },
        { type: "tool_call", call: 0, arguments: "1}" }
      ],
      { request: { reasoning: { summary: "auto" }, include: ["reasoning.encrypted_content"] } }
    )
    assert.deepStrictEqual(typesOf(events).slice(2, -1), [
      "output_item.added",
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
      "output_item.done",
      "output_item.added",
      "function_call_arguments.delta",
      "output_item.added",
      "custom_tool_call_input.delta",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
      "custom_tool_call_input.done",
      "output_item.done"
    ])
    assert.deepStrictEqual(objectIn(events.at(-1), "response")["output"], [
      {
        id: `rs_${HEX}00000`,
        type: "reasoning",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "signed:s"
      },
      {
        id: `fc_${HEX}00001`,
        type: "function_call",
        status: "completed",
        arguments: '{"a":1}',
        call_id: "c0",
        name: "f"
      },
      { id: `ctc_${HEX}00002`, type: "custom_tool_call", status: "completed", call_id: "c1", input: "ls", name: "run" }
    ])
  })

  it("shows thoughts as they are where no summary was asked for, and nothing encrypted", () => {
    const events = frames([
      { type: "reasoning", text: "hm" },
      { type: "encrypted", data: "x" }
    ])
    assert.include(typesOf(events), "reasoning_text.delta")
    assert.deepStrictEqual(objectIn(events.at(-1), "response")["output"], [
      { id: `rs_${HEX}00000`, type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "hm" }] },
      { id: `rs_${HEX}00001`, type: "reasoning", summary: [] }
    ])
  })

  it("is incomplete where the model had to stop", () => {
    for (const [finishReason, reason] of [
      ["length", "max_output_tokens"],
      ["content_filter", "content_filter"]
    ] as const) {
      const last = frames(["A"], { end: { ...END, finishReason } }).at(-1)
      assert.strictEqual(last?.["type"], "response.incomplete")
      const response = objectIn(last, "response")
      assert.deepInclude(response, { status: "incomplete", incomplete_details: { reason } })
      assert.deepInclude(listIn(response, "output")[0], { status: "incomplete" })
    }
  })

  it("is queued first in the background", () => {
    const events = frames([], { request: { background: true } })
    assert.deepStrictEqual(typesOf(events), ["created", "queued", "in_progress", "completed"])
    assert.deepInclude(objectIn(events[0], "response"), { status: "queued", background: true })
  })

  it("that failed has an error, and no other end", () => {
    const events = frames(["A"], { end: FAILURE })
    assert.deepStrictEqual(typesOf(events).slice(-2), ["error", "failed"])
    assert.deepInclude(events.at(-2), { code: "model_failed", message: "No.", param: null })
    assert.deepInclude(objectIn(events.at(-1), "response"), {
      status: "failed",
      error: { code: "server_error", message: "No." }
    })
    const cancelled = frames(["A"], { end: { ...FAILURE, status: 409, code: "generation_cancelled" } })
    assert.notInclude(typesOf(cancelled), "error")
    assert.deepInclude(objectIn(cancelled.at(-1), "response"), { status: "cancelled", error: null })
  })

  it("ends for a reader that has more of it than was stored", () => {
    const events = frames(["A"], { after: 40, end: FAILURE })
    assert.deepStrictEqual(
      events.map(({ sequence_number, type }) => [type, sequence_number]),
      [
        ["error", 41],
        ["response.failed", 42]
      ]
    )
  })

  it("is numbered from 0 without a gap", () => {
    fc.assert(
      fc.property(pieces, asked, ending, (all, request, end) => {
        const numbers = frames(all, { request, end }).map((event) => event["sequence_number"])
        assert.deepStrictEqual(numbers, [...numbers.keys()])
      })
    )
  })

  it("is continued after any of its events", () => {
    fc.assert(
      fc.property(pieces, asked, ending, fc.nat(100), (all, request, end, at) => {
        const whole = frames(all, { request, end })
        const after = at % whole.length
        // An end that is not whole is told again to a reader that has it.
        if ("status" in end && after >= whole.length - 2) return
        assert.deepStrictEqual(frames(all, { request, end, after }), whole.slice(after + 1))
      })
    )
  })

  it("finishes all that it begins, and its deltas are the whole text", () => {
    fc.assert(
      fc.property(pieces, asked, (all, request) => {
        const events = frames(all, { request })
        const texts = new Map<string, string>()
        const open = new Set<string>()
        const done: Array<Json> = []
        for (const event of events) {
          const type = String(event["type"])
          const { item_id, output_index, content_index, summary_index } = event
          const of = JSON.stringify([item_id ?? null, output_index, content_index ?? null, summary_index ?? null])
          if (type.endsWith(".delta")) {
            const key = type.slice(0, -".delta".length) + of
            texts.set(key, (texts.get(key) ?? "") + String(event["delta"]))
          } else if (type.endsWith(".added") && type !== "response.output_text.annotation.added") {
            const key = type.slice(0, -".added".length) + of
            assert.isFalse(open.has(key))
            open.add(key)
          } else if (type.endsWith(".done")) {
            const key = type.slice(0, -".done".length) + of
            const whole = event["text"] ?? event["refusal"] ?? event["arguments"] ?? event["input"]
            if (typeof whole === "string") {
              assert.strictEqual(whole, texts.get(key) ?? "")
              texts.delete(key)
            } else assert.isTrue(open.delete(key))
            if (type === "response.output_item.done" && isJsonObject(event["item"]))
              done[Number(output_index)] = event["item"]
          }
        }
        assert.strictEqual(open.size + texts.size, 0)
        assert.deepStrictEqual(objectIn(events.at(-1), "response")["output"], done)
      })
    )
  })

  it("ends with the response that it is as one value", () => {
    fc.assert(
      fc.property(pieces, asked, (all, request) => {
        const last = objectIn(frames(all, { request }).at(-1), "response")
        assert.deepStrictEqual(JSON.parse(JSON.stringify(responsesWhole(headOf(request), entries(all), END))), last)
      })
    )
  })

  it("of a provider that speaks Responses is what it sent, with our id and numbers", () => {
    const item = { id: "msg_up", type: "message", status: "completed", role: "assistant", content: [], x: 1 }
    const sent: ReadonlyArray<JsonObject> = [
      { type: "response.created", response: { id: "up" }, sequence_number: 0 },
      { type: "response.in_progress", response: { id: "up" }, sequence_number: 1 },
      { type: "response.output_item.added", output_index: 0, item, sequence_number: 5 },
      { type: "response.web_search_call.searching", item_id: "w", x: [1], sequence_number: 6 },
      { type: "response.output_item.done", output_index: 0, item, sequence_number: 7 },
      {
        type: "response.completed",
        response: { id: "up", status: "completed", output: [item], x: 2 },
        sequence_number: 8
      }
    ]
    const raw: ReadonlyArray<ModelPiece> = sent.map((event) => ({ type: "raw", dialect: "responses", event }))
    const events = frames(raw)
    assert.deepStrictEqual(
      events.slice(2, -1),
      sent.slice(2, -1).map((event, index) => ({ ...event, sequence_number: index + 2 }))
    )
    assert.deepInclude(objectIn(events.at(-1), "response"), { id: ID, status: "completed", output: [item], x: 2 })
    assert.deepInclude(responsesWhole(headOf(), entries(raw), END), { id: ID, x: 2 })
  })

  it("of a provider's whole response has an event for each item and text", () => {
    const part = { type: "output_text", text: "A", annotations: [] }
    const event = { id: "up", object: "response", output: [{ id: "m", type: "message", content: [part] }] }
    const events = frames([{ type: "raw", dialect: "responses", event, text: "A" }])
    assert.deepStrictEqual(typesOf(events).slice(2), [
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed"
    ])
    assert.deepInclude(objectIn(events.at(-1), "response"), { id: ID, output: event.output })
  })
})

describe("a response as one value", () => {
  it("repeats the request", () => {
    const request = {
      tools: [{ type: "function", name: "f" }],
      metadata: { a: "b" },
      temperature: 0.5,
      instructions: "Be kind."
    }
    const whole = responsesWhole(headOf(request), ["A"], END)
    assert.deepInclude(whole, { ...request, tool_choice: "auto", parallel_tool_calls: true, truncation: "disabled" })
    assert.deepInclude(whole, { status: "completed", error: null, incomplete_details: null })
  })

  it("says how far it is", () => {
    assert.deepInclude(responsesSoFar(headOf({ background: true }), []), { status: "queued", output: [], usage: null })
    const running = responsesSoFar(headOf({ background: true }), ["A"])
    assert.deepInclude(running, { status: "in_progress" })
    assert.deepInclude(listIn(running, "output")[0], { status: "in_progress" })
    assert.deepInclude(responsesFailed(headOf(), ["A"], FAILURE), { status: "failed" })
  })

  it("can be sent back as input", () => {
    const pieces: ReadonlyArray<ModelPiece> = [
      { type: "reasoning", text: "hm" },
      { type: "signature", signature: "s" },
      { type: "encrypted", data: "x" },
      "A room.",
      { type: "tool_call", call: 0, id: "c0", name: "f", arguments: "{}" },
      { type: "tool_call", call: 1, id: "c1", name: "run", custom: true, arguments: "ls" }
    ]
    const decoded = decodeResponses({ model: "m", input: outputItems(headOf(), entries(pieces)) })
    assert.deepStrictEqual(decoded.type === "request" ? decoded.request.input : decoded, [
      { type: "reasoning", text: "hm", signature: "s" },
      { type: "reasoning", text: "", encrypted: "x" },
      { type: "message", role: "assistant", parts: [{ type: "text", text: "A room." }] },
      { type: "tool_call", id: "c0", name: "f", arguments: "{}" },
      { type: "tool_call", id: "c1", name: "run", arguments: "ls", custom: true }
    ])
  })
})

describe("an item's id", () => {
  it("names its place", () => {
    assert.deepStrictEqual(placeOf(itemId("msg_", GENERATION, "output", 3)), {
      generationId: GENERATION,
      side: "output",
      index: 3
    })
    assert.deepStrictEqual(placeOf(itemId("rs_", GENERATION, "input", 70_000))?.index, 70_000)
    for (const id of ["", "msg_1", ID, `msg_${HEX}20000`]) assert.isUndefined(placeOf(id))
  })
})
