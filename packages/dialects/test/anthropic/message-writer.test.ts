import { assert, describe, it } from "@effect/vitest"
import type { DoorError } from "@llm-saas/dialects/AnswerWriter"
import { errorBody, errorTypeOf } from "@llm-saas/dialects/anthropic/Errors"
import { messageAnswer } from "@llm-saas/dialects/anthropic/MessageAnswer"
import { messageWriter } from "@llm-saas/dialects/anthropic/MessageWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import fc from "fast-check"
import { END, entriesOf, eventsIn, HEAD, ID, written } from "./Events.ts"

/** What an SDK makes of the events: the message. Fails where a block is not started once, stopped once and in order. */
const message = (events: ReadonlyArray<JsonObject>): JsonObject => {
  const [first, ...rest] = events
  assert.strictEqual(first?.["type"], "message_start")
  const start = first?.["message"]
  assert(isJsonObject(start))
  const content: Array<Record<string, unknown>> = []
  const inputs: Array<string> = []
  let open = false
  let end: JsonObject = {}
  for (const [at, event] of rest.entries()) {
    const { content_block: block, delta, index, type } = event
    switch (type) {
      case "content_block_start":
        assert.isFalse(open)
        assert.strictEqual(index, content.length)
        assert(isJsonObject(block))
        content.push({ ...block })
        inputs.push("")
        open = true
        break
      case "content_block_delta": {
        assert.isTrue(open)
        assert.strictEqual(index, content.length - 1)
        const last = content.at(-1)
        assert(isJsonObject(delta) && last !== undefined)
        if (delta["type"] === "text_delta") last["text"] = `${last["text"]}${delta["text"]}`
        if (delta["type"] === "thinking_delta") last["thinking"] = `${last["thinking"]}${delta["thinking"]}`
        if (delta["type"] === "signature_delta") last["signature"] = delta["signature"]
        if (delta["type"] === "input_json_delta") inputs[content.length - 1] += String(delta["partial_json"])
        break
      }
      case "content_block_stop":
        assert.isTrue(open)
        assert.strictEqual(index, content.length - 1)
        open = false
        break
      case "message_delta":
        assert.isFalse(open)
        assert.strictEqual(at, rest.length - 2)
        assert(isJsonObject(delta))
        end = { ...delta, usage: event["usage"] }
        break
      case "message_stop":
        assert.strictEqual(at, rest.length - 1)
        break
      default:
        assert.fail(`an event of type ${JSON.stringify(type)}`)
    }
  }
  const blocks = content.map((block, at) => {
    const input = inputs[at] ?? ""
    return input === "" ? block : { ...block, input: JSON.parse(input) }
  })
  return JSON.parse(JSON.stringify({ ...start, ...end, content: blocks }))
}

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 8 })
const input = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })

/** Pieces as models send them: the inputs of calls are whole in the end, but may come in turns. */
const pieces: fc.Arbitrary<ReadonlyArray<ModelPiece>> = fc
  .record({
    calls: fc.array(input, { maxLength: 4 }),
    others: fc.array(
      fc.oneof(
        text,
        fc.record({ type: fc.constant("reasoning" as const), text }),
        fc.record({ type: fc.constant("signature" as const), signature: text }),
        fc.record({ type: fc.constant("encrypted" as const), data: text }),
        fc.record({ type: fc.constant("refusal" as const), text }),
        fc.record({ type: fc.constant("text" as const), text, choice: fc.constant(1) }),
        fc.record({
          type: fc.constant("annotation" as const),
          dialect: fc.constant("chat" as const),
          value: fc.jsonValue()
        })
      ),
      { maxLength: 8 }
    ),
    order: fc.infiniteStream(fc.nat())
  })
  .map(({ calls, order, others }) => {
    const queues: Array<Array<ModelPiece>> = [
      [...others],
      ...calls.map((value, call): Array<ModelPiece> => [
        { type: "tool_call", call, id: `call_${call}`, name: "look" },
        ...(JSON.stringify(value).match(/[^]{1,4}/gu) ?? []).map((part): ModelPiece => ({
          type: "tool_call",
          call,
          arguments: part
        }))
      ])
    ]
    const mixed: Array<ModelPiece> = []
    // Calls begin in order.
    let begun = 0
    for (const step of order) {
      const ready = queues.filter((queue, at) => queue.length > 0 && at <= begun + 1)
      const queue = ready[step % Math.max(1, ready.length)]
      const piece = queue?.shift()
      if (queue === undefined || piece === undefined) break
      begun = Math.max(begun, queues.indexOf(queue))
      mixed.push(piece)
    }
    return mixed
  })

describe("the events of POST /v1/messages", () => {
  it("start each block once, stop it once, and have deltas only inside", () => {
    fc.assert(
      fc.property(pieces, (pieces) => {
        const entries = entriesOf(pieces)
        // Nothing is lost, however calls come in turns.
        const contents = [message(written(messageWriter(HEAD), entries)), messageAnswer(HEAD, entries, END)].map(
          ({ content }) => (Array.isArray(content) ? content.filter(isJsonObject) : [])
        )
        const sum = (blocks: ReadonlyArray<JsonObject>, name: string) =>
          blocks.map((block) => block[name] ?? "").join("")
        const calls = (blocks: ReadonlyArray<JsonObject>) => blocks.filter(({ type }) => type === "tool_use")
        const [streamed = [], whole = []] = contents
        for (const name of ["text", "thinking", "signature", "data"])
          assert.strictEqual(sum(streamed, name), sum(whole, name))
        assert.deepStrictEqual(calls(streamed), calls(whole))
      })
    )
  })

  it("make the message that is given whole, where blocks do not come in turns", () => {
    fc.assert(
      fc.property(pieces, (mixed) => {
        // Calls one after the other, at the end.
        const ordered = [
          ...mixed.filter((piece) => typeof piece === "string" || piece.type !== "tool_call"),
          ...mixed
            .filter((piece) => typeof piece !== "string" && piece.type === "tool_call")
            .sort((one, other) =>
              typeof one === "string"
              || typeof other === "string"
              || one.type !== "tool_call"
              || other.type !== "tool_call"
                ? 0
                : one.call - other.call
            )
        ]
        const entries = entriesOf(ordered)
        const { model, ...streamed } = message(written(messageWriter(HEAD), entries))
        assert.strictEqual(model, HEAD.model)
        assert.deepStrictEqual(streamed, (({ model: _, ...whole }) => whole)(messageAnswer(HEAD, entries, END)))
      })
    )
  })

  it("have every call whole, also those whose inputs came in turns", () => {
    const events = written(
      messageWriter(HEAD),
      entriesOf([
        { type: "tool_call", call: 0, id: "a", name: "one" },
        { type: "tool_call", call: 1, id: "b", name: "two" },
        { type: "tool_call", call: 0, arguments: '{"x":' },
        { type: "tool_call", call: 1, arguments: '{"y":' },
        { type: "tool_call", call: 0, arguments: '"}"}' },
        { type: "tool_call", call: 1, arguments: "2}" }
      ]),
      { ...END, finishReason: "tool_calls" }
    )
    assert.deepStrictEqual(message(events)["content"], [
      { type: "tool_use", id: "a", name: "one", input: { x: "}" } },
      { type: "tool_use", id: "b", name: "two", input: { y: 2 } }
    ])
    // The second call is streamed from where the first is complete.
    assert.deepStrictEqual(events.map(({ index, type }) => `${String(type)} ${String(index)}`).slice(1, -2), [
      "content_block_start 0",
      "content_block_delta 0",
      "content_block_delta 0",
      "content_block_stop 0",
      "content_block_start 1",
      "content_block_delta 1",
      "content_block_delta 1",
      "content_block_stop 1"
    ])
  })

  it("begin with the id, and with an estimate of the input", () => {
    const [start] = written(messageWriter(HEAD), ["Hello"])
    assert.deepStrictEqual(start, {
      type: "message_start",
      message: {
        id: ID,
        type: "message",
        role: "assistant",
        model: "an-alias",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
      }
    })
  })

  it("end with the reason and the counts in this dialect's words", () => {
    const end = (pieces: ReadonlyArray<ModelPiece>, end: Partial<typeof END>) => {
      const { delta, usage } = written(messageWriter(HEAD), entriesOf(pieces), { ...END, ...end }).at(-2) ?? {}
      return { delta, usage }
    }
    const reason = (stop_reason: string, stop_sequence: string | null = null) => ({ stop_reason, stop_sequence })
    assert.deepStrictEqual(end(["a"], {}).delta, reason("end_turn"))
    assert.deepStrictEqual(end(["a"], { finishReason: "length" }).delta, reason("max_tokens"))
    assert.deepStrictEqual(end(["a"], { finishReason: "content_filter" }).delta, reason("refusal"))
    assert.deepStrictEqual(end([{ type: "refusal", text: "no" }], {}).delta, reason("refusal"))
    assert.deepStrictEqual(
      end(["a", { type: "finish", reason: "stop", stopSequence: "X" }], {}).delta,
      reason("stop_sequence", "X")
    )
    // Some upstreams say `stop` after a call; clients run tools only after `tool_use`.
    assert.deepStrictEqual(
      end([{ type: "tool_call", call: 0, id: "a", name: "b", arguments: "{}" }], {}).delta,
      reason("tool_use")
    )
    assert.deepStrictEqual(
      end(["a"], {
        usage: {
          input: 100,
          output: 7,
          details: { cacheRead: 60, cacheWrite: 10, cacheWrite1h: 5, reasoning: 3, searches: 1 }
        }
      }).usage,
      {
        input_tokens: 25,
        cache_creation_input_tokens: 15,
        cache_read_input_tokens: 60,
        output_tokens: 7,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 5 },
        output_tokens_details: { thinking_tokens: 3 },
        server_tool_use: { web_search_requests: 1 }
      }
    )
    assert.deepStrictEqual(end(["twelve bytes"], { usage: undefined }).usage, {
      input_tokens: 9,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 4
    })
  })

  it("have no end after a failure, and nothing but the failure", () => {
    const error: DoorError = { status: 502, code: "model_failed", message: "It failed.", requestId: "req_1" }
    const writer = messageWriter(HEAD)
    writer.entry("Hello")
    assert.deepStrictEqual(eventsIn(writer.failure(error)), [
      { type: "error", error: { type: "api_error", message: "It failed." }, request_id: "req_1" }
    ])
    const raw = messageWriter(HEAD)
    const stopped = entriesOf([
      { type: "raw", dialect: "anthropic", event: { type: "message_delta", delta: { stop_reason: "end_turn" } } },
      { type: "raw", dialect: "anthropic", event: { type: "message_stop", x_new: 1 } }
    ])
    assert.notInclude(stopped.map(raw.entry).join(""), "message_stop")
  })

  it("tell a foreign provider's own events by their text", () => {
    const events = written(
      messageWriter(HEAD),
      entriesOf([
        { type: "shape", dialect: "chat", before: "{", after: "}" },
        { type: "raw", dialect: "chat", event: { choices: [] } },
        { type: "raw", dialect: "chat", event: { choices: [] }, text: "Hel" },
        "lo"
      ])
    )
    assert.deepStrictEqual(message(events)["content"], [{ type: "text", text: "Hello" }])
  })

  it("say invalid arguments as such, where the message is whole", () => {
    const pieces: ReadonlyArray<ModelPiece> = [{ type: "tool_call", call: 0, id: "a", name: "b", arguments: '{"cut' }]
    assert.deepStrictEqual(messageAnswer(HEAD, entriesOf(pieces), { ...END, finishReason: "length" })["content"], [
      { type: "tool_use", id: "a", name: "b", input: { INVALID_JSON: '{"cut' } }
    ])
  })

  it("are one line of data for every reader", () => {
    for (const entry of [
      ...entriesOf(["a\u2028\u0085b"]),
      entryOf({ type: "raw", dialect: "anthropic", event: { type: "content_block_delta\n\ndata: x", x: "\u2029" } })
    ]) {
      const writer = messageWriter(HEAD)
      const text = writer.entry(entry)
      assert.notMatch(text, /[\u0085\u2028\u2029]/u)
      for (const frame of text.split("\n\n")) assert.isAtMost(frame.split("\n").length, 2)
    }
  })
})

describe("an error of /v1/messages", () => {
  it("has the type of its status", () => {
    const type = (status: number, code = "a_code") => errorTypeOf({ status, code, message: "", requestId: "" })
    const types = new Map([
      [400, "invalid_request_error"],
      [401, "authentication_error"],
      [402, "billing_error"],
      [403, "permission_error"],
      [404, "not_found_error"],
      [408, "timeout_error"],
      [409, "invalid_request_error"],
      [413, "request_too_large"],
      [422, "invalid_request_error"],
      [429, "rate_limit_error"],
      [500, "api_error"],
      [502, "api_error"],
      [503, "overloaded_error"],
      [504, "timeout_error"],
      [529, "overloaded_error"]
    ])
    for (const [status, name] of types) assert.strictEqual(type(status), name)
    assert.strictEqual(type(429, "insufficient_quota"), "billing_error")
  })

  it("names the member that is wrong", () => {
    const error = {
      status: 400,
      code: "invalid_request",
      message: "Input should be a list",
      param: "messages",
      requestId: "r"
    }
    const message = (each: DoorError) => (errorBody(each)["error"] as JsonObject)["message"]
    assert.strictEqual(message(error), "messages: Input should be a list")
    assert.strictEqual(message({ ...error, message: "messages: Field required" }), "messages: Field required")
  })
})
