import { assert, describe, it } from "@effect/vitest"
import type { AnswerHead } from "@llm-saas/dialects/AnswerWriter"
import { forwardResponses } from "@llm-saas/dialects/responses/ResponsesBody"
import { ResponsesReader } from "@llm-saas/dialects/responses/ResponsesReader"
import { decodeResponses, type Earlier } from "@llm-saas/dialects/responses/ResponsesRequest"
import { turnOf } from "@llm-saas/dialects/responses/ResponsesTurns"
import { outputItems, responsesSoFar, responsesWhole } from "@llm-saas/dialects/responses/ResponsesWhole"
import { responsesWriter } from "@llm-saas/dialects/responses/ResponsesWriter"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"

const HEAD: AnswerHead = {
  generationId: "01234567-89ab-cdef-0123-456789abcdef",
  createdAt: 1_700_000_000,
  model: "m",
  request: { model: "m", input: "hi", tools: [{ type: "web_search" }] }
}
const ID = "resp_0123456789abcdef0123456789abcdef"

const read = (events: ReadonlyArray<JsonObject>) => {
  const pieces: Array<ModelPiece> = []
  const reader = new ResponsesReader((piece) => pieces.push(piece))
  for (const event of events) reader.data(JSON.stringify(event), String(event["type"]))
  return { reader, pieces, entries: pieces.map((piece) => (typeof piece === "string" ? piece : entryOf(piece))) }
}

const written = (events: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const { entries, reader } = read(events)
  const writer = responsesWriter(HEAD)
  const end = { finishReason: reader.finishReason ?? ("other" as const), usage: reader.usage, model: reader.model }
  const wire = writer.begin() + entries.map(writer.entry).join("") + writer.end(end)
  return wire
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + "data: ".length)))
}

const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] })
const address = { item_id: "msg_up", output_index: 0, content_index: 0 }
const message = (status: string, content: ReadonlyArray<Json>) => ({
  id: "msg_up",
  type: "message",
  status,
  role: "assistant",
  content
})
const begun: ReadonlyArray<JsonObject> = [
  { type: "response.created", response: { id: "up", model: "m-2026", status: "in_progress" } },
  { type: "response.in_progress", response: { id: "up", status: "in_progress" } }
]
const USAGE = {
  input_tokens: 5,
  input_tokens_details: { cached_tokens: 2 },
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 8
}
/** A stream of one message in these deltas, with other events between. */
const stream = (deltas: ReadonlyArray<JsonObject>, others: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const text = deltas.map(({ delta }) => String(delta)).join("")
  const item = message("completed", [part(text)])
  const events: ReadonlyArray<JsonObject> = [
    ...begun,
    { type: "response.output_item.added", output_index: 0, item: message("in_progress", []) },
    { type: "response.content_part.added", ...address, part: part("") },
    ...deltas.flatMap((delta, index) => [
      { type: "response.output_text.delta", ...address, logprobs: [], ...delta },
      ...others.slice(index, index + 1)
    ]),
    { type: "response.output_text.done", ...address, text, logprobs: [] },
    { type: "response.content_part.done", ...address, part: part(text) },
    { type: "response.output_item.done", output_index: 0, item },
    {
      type: "response.completed",
      response: { id: "up", object: "response", status: "completed", model: "m-2026", output: [item], usage: USAGE }
    }
  ]
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

describe("an answer of a provider that speaks Responses", () => {
  it("is told as it came, with our id", () => {
    const json = fc.jsonValue({ maxDepth: 2 }).map((value): Json => JSON.parse(JSON.stringify(value)))
    const delta = fc.record(
      {
        delta: fc.string({ minLength: 1, unit: "grapheme" }),
        logprobs: fc.constantFrom<Json>([], [{ token: "a" }]),
        x: json
      },
      { requiredKeys: ["delta"] }
    )
    const other = fc.record({ type: fc.constantFrom("response.web_search_call.searching", "response.x"), x: json })
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1 }), fc.array(other), (deltas, others) => {
        const sent = stream(deltas, others)
        const events = written(sent)
        assert.deepStrictEqual(events.slice(2, -1), sent.slice(2, -1))
        const { response, ...end } = events.at(-1) ?? {}
        const { response: theirs, ...theirEnd } = sent.at(-1) ?? {}
        assert.deepStrictEqual(end, theirEnd)
        if (!isJsonObject(theirs)) return assert.fail()
        assert.deepInclude(response, { ...theirs, id: ID, tools: [{ type: "web_search" }] })
      })
    )
  })

  it("has the events that it has, whatever a provider calls one", () => {
    const forged =
      'x\r\r\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"status":"completed"}}\n\n'
    const line = fc.string({ unit: fc.constantFrom("\r", "\n", "\u2028", ":", " ", "data: {}", "a") })
    fc.assert(
      fc.property(fc.oneof(fc.constant(forged), line), (type) => {
        const { entries } = read([...begun, { type }])
        const writer = responsesWriter(HEAD)
        writer.begin()
        const wire = entries.map(writer.entry).join("")
        const lines = wire.split(/\r\n|[\r\n\u2028]/u)
        assert.strictEqual(lines.filter((each) => each.startsWith("data:")).length, entries.length)
        assert.strictEqual(wire.split("\n\n").length - 1, entries.length)
      })
    )
  })

  it("has its deltas as plain texts, without an obfuscation", () => {
    const sent = stream([{ delta: "A ", obfuscation: "xyz" }, { delta: "room." }], [])
    const { entries, pieces, reader } = read(sent)
    assert.deepStrictEqual(
      pieces.filter((piece) => typeof piece === "string"),
      ["A ", "room."]
    )
    assert.strictEqual(reader.finishReason, "stop")
    assert.deepStrictEqual(reader.usage, { input: 5, output: 3, details: { cacheRead: 2, reasoning: 0 } })
    assert.deepStrictEqual([reader.id, reader.model, reader.done], ["up", "m-2026", true])
    const end = { finishReason: "stop" as const, usage: reader.usage, model: reader.model }
    assert.deepInclude(responsesWhole(HEAD, entries, end), {
      id: ID,
      output: [message("completed", [part("A room.")])]
    })
    assert.deepStrictEqual(responsesSoFar(HEAD, entries.slice(0, 3))["output"], [message("in_progress", [part("A ")])])
    assert.deepStrictEqual(outputItems(HEAD, entries), [message("completed", [part("A room.")])])
  })

  it("shows nothing before its first delta: the request may be repeated until then", () => {
    const events = stream([{ delta: "A" }], [])
    const first = read(events.slice(0, 4))
    assert.deepStrictEqual([first.pieces, first.reader.begun, first.reader.said], [[], true, false])
    assert.strictEqual(read(events.slice(0, 5)).pieces.length, 3)
  })

  it("ends for a limit, a filter, calls, or not at all", () => {
    const end = (response: JsonObject, ...before: ReadonlyArray<JsonObject>) =>
      read([...begun, ...before, { type: "response.incomplete", response }]).reader.finishReason
    const incomplete = (reason: string) => ({ status: "incomplete", incomplete_details: { reason } })
    assert.strictEqual(end(incomplete("max_output_tokens")), "length")
    assert.strictEqual(end(incomplete("content_filter")), "content_filter")
    const item = { type: "function_call", call_id: "c", name: "f", arguments: "{}" }
    const called = { type: "response.output_item.done", output_index: 0, item }
    assert.strictEqual(end({ status: "completed" }, called), "tool_calls")
    assert.isUndefined(read(begun).reader.finishReason)
  })

  it("that failed has an error", () => {
    for (const event of [
      { type: "error", code: "server_error", message: "No." },
      { type: "response.failed", response: { id: "up", error: { code: "server_error", message: "No." } } }
    ]) {
      const { reader } = read([...begun, event])
      assert.isDefined(reader.error)
      assert.isUndefined(reader.finishReason)
    }
    for (const response of [
      { status: "failed", error: null },
      { status: "completed", error: { code: "server_error", message: "No." } },
      { status: "in_progress" },
      { status: "cancelled" },
      { status: 7 }
    ])
      for (const type of ["response.completed", "response.incomplete", "whole"]) {
        const { entries, reader } = read(begun)
        if (type === "whole") reader.whole({ object: "response", output: [], ...response })
        else reader.data(JSON.stringify({ type, response }), type)
        assert.isTrue(reader.error !== undefined || reader.broken !== undefined)
        assert.deepStrictEqual([reader.finishReason, reader.done, entries], [undefined, false, []])
      }
    const garbage = new ResponsesReader(() => {})
    garbage.data("<html>", "")
    assert.isDefined(garbage.broken)
  })
})

describe("a body for a provider that speaks Responses", () => {
  const forwarded = (body: JsonObject, earlier?: Earlier, mostTokens?: number) => {
    const decoded = decodeResponses({ model: "m", ...body }, earlier)
    return decoded.type === "request"
      ? forwardResponses(decoded.request, { model: "up", mostTokens })
      : assert.fail(JSON.stringify(decoded))
  }

  it("is the client's own, but for the model, the limit and what is kept here", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().map((name) => `x_${name}`),
          fc.jsonValue({ maxDepth: 2 })
        ),
        (more) => {
          const own: JsonObject = JSON.parse(JSON.stringify({ ...more, tools: [{ type: "web_search", x: 1 }] }))
          const body = {
            ...own,
            input: [
              { role: "user", content: "hi" },
              { type: "web_search_call", id: "w" }
            ]
          }
          assert.deepStrictEqual(forwarded({ ...body, background: true, store: true }), {
            ...body,
            model: "up",
            store: false,
            stream: true
          })
        }
      )
    )
    assert.strictEqual(forwarded({ input: "hi", max_output_tokens: 500 }, undefined, 100)["max_output_tokens"], 100)
    assert.strictEqual(forwarded({ input: "hi" }, undefined, 100)["max_output_tokens"], 100)
    assert.strictEqual(forwarded({ input: "hi", max_output_tokens: 50 }, undefined, 100)["max_output_tokens"], 50)
  })

  it("has the items of the answers before it", () => {
    const output: ReadonlyArray<JsonObject> = [
      { type: "reasoning", id: "rs_up", summary: [], encrypted_content: "gAAAA" },
      { type: "reasoning", id: "rs_2", summary: [{ type: "summary_text", text: "hm" }] },
      { type: "web_search_call", id: "w", status: "completed" },
      message("completed", [part("A room.")]),
      { type: "custom_tool_call", call_id: "c", name: "run", input: "ls" }
    ]
    const items = turnOf({ input: "What is this?" }, output, new Map())
    const body = {
      previous_response_id: "resp_1",
      instructions: "Be brief.",
      input: [{ type: "custom_tool_call_output", call_id: "c", output: "a" }]
    }
    const sent = forwarded(body, { items, referenced: new Map() })
    assert.notProperty(sent, "previous_response_id")
    assert.strictEqual(sent["instructions"], "Be brief.")
    assert.deepStrictEqual(sent["input"], [
      { type: "message", role: "user", content: [{ type: "input_text", text: "What is this?" }] },
      { type: "reasoning", summary: [], encrypted_content: "gAAAA" },
      { type: "web_search_call", id: "w", status: "completed" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "A room.", annotations: [] }] },
      { type: "custom_tool_call", call_id: "c", name: "run", input: "ls" },
      { type: "custom_tool_call_output", call_id: "c", output: "a" }
    ])
  })
})
