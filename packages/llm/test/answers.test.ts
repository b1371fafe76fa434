import { assert, describe, it } from "@effect/vitest"
import { chunk, DONE, event } from "@llm-saas/testing/FakeUpstream"
import { visibleText } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"
import { ChatStream } from "../src/ChatStream.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"

/** The result of a body read in these parts: the text, and how it ended. */
const outcomeOf = (parts: ReadonlyArray<Uint8Array>) => {
  const said: Array<string> = []
  const stream = new ChatStream((piece) => said.push(visibleText(piece)), { texts: [], maxTokens: 100 })
  for (const part of parts) if (stream.push(part) !== undefined) break
  const end = stream.end()
  return { text: said.join(""), end: end instanceof ProviderFailure ? end.reason : end.finishReason, outcome: end }
}

/** The same, read whole and byte by byte, with equal results. */
const read = (body: string) => {
  const bytes = Buffer.from(body)
  const whole = outcomeOf([bytes])
  const { end, text } = outcomeOf(Array.from(bytes, (byte) => Uint8Array.of(byte)))
  assert.deepStrictEqual({ end, text }, { end: whole.end, text: whole.text }, body)
  return whole
}

const say = (content: unknown) => chunk({ delta: { content }, finish_reason: null })
const STOP = chunk({ delta: {}, finish_reason: "stop" })
const used = (output: number, more = {}) =>
  event({ choices: [], usage: { prompt_tokens: 5, completion_tokens: output, ...more } })

describe("an answer that is not whole", () => {
  const bodies: Readonly<Record<string, ReadonlyArray<string>>> = {
    model_cut: [
      say("half"),
      chunk({ delta: { content: "half" }, finish_reason: "" }),
      chunk({ delta: { content: "half" }, finish_reason: "null" }),
      chunk({ delta: { content: "half" }, finish_reason: "" }) + DONE,
      say("half") + DONE,
      DONE,
      ": keep-alive\n\n",
      say("half") + 'data: {"choices":[{"delta":{"content":"more"',
      STOP + say("more after its end"),
      chunk({ delta: {}, finish_reason: "abort" }),
      say("half") + used(1),
      '{"choices":[{"message":{"content":"all"',
      '{"choices":[{"message":{"content":"all"},"finish_reason":null}]}',
      ""
    ],
    model_error: [
      event({ error: { message: "boom" } }),
      say("half") + event({ error: "boom" }) + STOP + DONE,
      event({ error: { message: "boom" }, choices: [{ delta: {}, finish_reason: "stop" }] }) + DONE,
      chunk({ delta: {}, finish_reason: "stop" }, { object: "error" }) + DONE,
      chunk({ delta: { content: "half" }, finish_reason: "stop" }, { error_type: "overloaded" }) + DONE,
      chunk({ delta: {}, finish_reason: "stop" }, { error_code: "boom" }) + DONE,
      event({ error_msg: "boom", error_code: 336_003 }),
      event({ type: "error", error: { type: "overloaded_error", message: "…" } }) + STOP,
      event({ choices: [{ index: 0, delta: {}, error: { message: "boom" }, finish_reason: "stop" }] }) + DONE,
      event({ choices: [{ index: 1, delta: {}, error: "boom" }] }) + STOP,
      chunk({ delta: {}, finish_reason: "error" }) + DONE,
      `event: error\ndata: {"message":"boom"}\n\n${STOP}${DONE}`,
      `event: error\ndata: boom\n\n${STOP}${DONE}`,
      `event: error\ndata: [DONE]\n\n`,
      `event: error\n\n${STOP}`,
      event({ message: "boom" }) + STOP,
      event({ detail: "boom" }) + STOP,
      event({ code: "InternalError", message: "boom" }) + STOP,
      event({ success: false }) + STOP,
      event({ base_resp: { status_code: 1000, status_msg: "boom" } }) + STOP,
      STOP + event({ error: { message: "boom" } }),
      '{"error":{"message":"boom"}}',
      '[{"error":{"message":"boom"}}]',
      chunk({ delta: { error: { message: "boom" } }, finish_reason: null }) + STOP + DONE,
      chunk({ message: { content: "half", error: "boom" }, finish_reason: "stop" }) + DONE,
      chunk({ delta: {}, exception: "boom" }) + STOP + DONE,
      chunk({ delta: { content: "half" } }, { fault: { faultstring: "boom" } }) + STOP + DONE,
      ...[
        { fault: { faultstring: "boom" } },
        { exception: "boom" },
        { Error: "boom" },
        { Message: "boom", __type: "InternalServerException" },
        { internalServerException: { message: "boom" } },
        { id: "1", object: "chat.completion.chunk", choices: [], failure: { why: "boom" } },
        { x_groq: { id: "1", error: "boom" } }
      ].flatMap((each) => [event(each) + STOP + DONE, say("half") + event(each) + STOP + DONE]),
      `${say("half")}{"error":{"message":"boom"}}\n\n${STOP}${DONE}`,
      `${say("half")}error: {"message":"boom"}\n\n${STOP}${DONE}`,
      `event: exception\ndata: {"a":1}\n\n${STOP}${DONE}`,
      STOP + event({ error: { message: "boom" } }).trimEnd(),
      `${STOP}event: error\ndata: {"mess`,
      '{\n  "error": {\n    "message": "boom"\n  }\n}\n',
      '{"object":"error","message":"boom"}',
      '{"detail":"boom"}'
    ],
    model_rejected: [
      event({ object: "error", message: "bad", code: 400 }),
      chunk({ delta: {}, finish_reason: "stop" }, { object: "error", code: 400 }) + DONE,
      event({ detail: [{ loc: ["body", "tools"], msg: "bad" }], code: 422 }),
      '{"error":{"message":"bad","code":404}}'
    ],
    model_rate_limited: [
      event({ error: { code: "rate_limit_exceeded", message: "…" } }),
      event({ code: 429, message: "…" })
    ],
    content_filtered: [
      chunk({ delta: {}, finish_reason: "content_filter" }) + DONE,
      chunk({ delta: { content: "" }, finish_reason: "SAFETY" }),
      event({ error: { code: "content_filter", message: "…" } })
    ],
    context_too_long: [
      event({ error: { code: 400, type: "exceed_context_size_error", message: "…", n_ctx: 256 } }),
      event({ error: { message: "This model's maximum context length is 4096 tokens", code: 400 } })
    ],
    model_malformed: [
      "<!doctype html><h1>Sign in</h1>",
      "Internal Server Error",
      "event-stream of nothing",
      "data: {garbage\n\n",
      'data: "text"\n\n',
      "data: 7\n\n",
      '{"choices":[]}',
      '{"a":1}\n{garbage}\n',
      say(7) + STOP,
      say({ type: "hologram", payload: "x" }) + STOP,
      say([{ type: "text", text: "half" }, 7]) + STOP,
      chunk({ delta: { content: "x" }, finish_reason: 7 }),
      event({ choices: "x" }),
      STOP + used(12) + DONE,
      chunk({ delta: { reasoning_content: "hm" } }) + STOP + used(12),
      chunk({ delta: { tool_calls: [{}] }, finish_reason: "tool_calls" }) + used(12),
      chunk({ delta: { answer: "under another name" } }) + STOP,
      event({ result: "under another name" }) + STOP + DONE,
      say("half") + event({ status: "failed" }) + STOP + DONE,
      say("half") + event({ type: "response.incomplete", reason: 7 }) + STOP + DONE,
      `${say("half")}{\n  "oops": {}\n}\n${STOP}${DONE}`
    ]
  }

  for (const [reason, all] of Object.entries(bodies)) {
    it(`is a failure, never an answer: ${reason}`, () => {
      for (const body of all) assert.strictEqual(read(body).end, reason, body)
    })
  }

  it("is a failure at every place where it may be cut, whatever its content", () => {
    const wires = [
      say("one") + say([{ type: "text", text: "two" }]) + chunk({ delta: {}, finish_reason: "length" }),
      `event: ping\ndata: {}\n\n${say("one")}data:\n\n${chunk({ message: { content: "two" }, finish_reason: "stop" })}`,
      chunk({ delta: { content: "one" }, finish_reason: "" })
        + chunk({ delta: { content: "two" }, finish_reason: "stop" })
    ]
    for (const wire of wires) {
      const bytes = Buffer.from(wire)
      for (let end = 0; end < bytes.length - "\n\n".length; end++)
        assert.include(["model_cut", "model_malformed"], outcomeOf([bytes.subarray(0, end)]).end)
      assert.include(["stop", "length"], outcomeOf([bytes]).end)
    }
  })

  it("keeps the counted tokens", () => {
    const { outcome } = read(STOP + used(12))
    assert.deepInclude(outcome, { usage: { input: 5, output: 12 } })
  })

  it("logs the unknown form, without its content", () => {
    const { outcome } = read(say({ type: "secret type", payload: "secret" }) + STOP)
    assert.strictEqual(outcome instanceof ProviderFailure && outcome.shape, "content: an object without text")
    const { outcome: stranger } = read(event({ secret: "secret" }) + STOP)
    assert.strictEqual(stranger instanceof ProviderFailure && stranger.shape, "an event without a member that is known")
  })
})

describe("an answer that is whole", () => {
  it("is its text, in every form", () => {
    const bodies = [
      say("A room.") + STOP + DONE,
      say([
        { type: "text", text: "A " },
        { type: "text", text: "room." }
      ]) + STOP,
      say([{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }])
        + say([{ type: "text", text: "A room." }])
        + STOP,
      say([{ type: "reference", reference_ids: [1] }, "A ", { text: "room." }]) + STOP,
      say({ type: "text", text: "A room." }) + STOP,
      say({ parts: [{ text: "A " }, { text: "room." }] }) + STOP,
      say([{ type: "text", text: { value: "A room." } }]) + STOP,
      chunk({ message: { content: "A " } })
        + chunk({ message: { role: "assistant", content: "room." }, finish_reason: "stop" }),
      chunk({ delta: null, message: { content: "A room." }, finish_reason: "stop" }),
      chunk({ text: "A " }) + chunk({ text: "room.", finish_reason: "stop" }),
      chunk({ delta: { text: "A room." } }) + STOP,
      chunk({ delta: "A room." }) + STOP,
      event({ choices: { delta: { content: "A room." }, finish_reason: "stop" } }),
      // The whole text once more, as some servers end.
      say("A ") + say("room.") + chunk({ message: { content: "A room." }, finish_reason: "stop" }),
      chunk({ delta: { content: "A " }, message: { content: "A " } })
        + chunk({ delta: { content: "room." }, message: { content: "A room." }, finish_reason: "stop" }),
      chunk({ delta: { refusal: "A room." } }) + STOP,
      chunk({ delta: { content: "A room." }, finish_details: { type: "stop" } }),
      chunk(
        { delta: { content: "A room." }, finish_reason: "stop" },
        { code: 0, message: "Success", error: null, error_code: 0 }
      ),
      chunk({ delta: { content: "A room." }, finish_reason: "stop" }, { base_resp: { status_code: 0 }, error: {} }),
      chunk({ delta: { content: "A " }, finish_reason: "" })
        + chunk({ delta: { content: "room." }, finish_reason: "stop" }),
      chunk({ delta: { content: "A " }, finish_reason: "stop" })
        + chunk({ delta: { content: "room." }, finish_reason: "stop" }),
      chunk({ delta: { content: "A " }, finish_reason: "stop" }) + say("room.") + DONE,
      say("A room.") + STOP.trimEnd(),
      say("A room.") + STOP.trimEnd() + "\n",
      say("A room.") + STOP + DONE.trimEnd(),
      `${STOP}data: {"cho`.replace(STOP, say("A room.") + STOP)
    ]
    for (const body of bodies) {
      const { end, text } = read(body)
      assert.deepStrictEqual([text, end], ["A room.", "stop"], body)
    }
  })

  it("is not disturbed by keep-alives, nor by different line ends", () => {
    const noise = [
      "data:\n\n",
      "data: \n\n",
      "data: null\n\n",
      "event: ping\ndata: pong\n\n",
      'event: ping\ndata: {"type":"ping"}\n\n',
      'data: {"type":"ping"}\n\n',
      "event: heartbeat\ndata: x\n\n",
      ": comment\n\n",
      "retry: 10\n\n",
      "id: 7\n\n",
      "event: message\n\n",
      "data: {}\n\n",
      'data: {"type":"heartbeat"}\n\n',
      'data: {"code":0,"error":null,"status":"ok"}\n\n',
      'data: {"id":"1","x_groq":{"id":"1"}}\n\n',
      'data: {"obfuscation":"x"}\n\n',
      'data: {"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}\n\n',
      'data: {"citations":["x"]}\n\n',
      "error:\n\n",
      "\n\n"
    ]
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...noise), { maxLength: 6 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.constantFrom("", "\ufeff", " \n", "\r\n"),
        (events, end, start) => {
          const wire = start + events.join("") + say("A room.") + events.join("") + STOP + events.join("") + DONE
          const { end: reason, text } = read(wire.replaceAll("\n", end))
          assert.deepStrictEqual([text, reason], ["A room.", "stop"])
        }
      )
    )
  })

  it("may be one value of JSON, or one per line", () => {
    const whole = {
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "A room." }, finish_reason: "stop" }],
      usage: { prompt_tokens: 5, completion_tokens: 3 }
    }
    const lines = [
      { choices: [{ delta: { content: "A " } }] },
      { choices: [{ delta: { content: "room." }, finish_reason: "stop" }] }
    ]
    const bodies = [
      JSON.stringify(whole),
      `\ufeff\n${JSON.stringify(whole, undefined, 2)}\n`,
      JSON.stringify(whole, undefined, 2).replaceAll("\n", "\r\n"),
      JSON.stringify([whole]),
      `data: ${JSON.stringify(whole)}\n\n`,
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
      lines.map((line) => JSON.stringify(line)).join("\r\n\r\n")
    ]
    for (const body of bodies) {
      const { end, text } = read(body)
      assert.deepStrictEqual([text, end], ["A room.", "stop"], body)
    }
  })

  it("may have no text, if no tokens were counted or thoughts took all of them", () => {
    const bodies = [
      [STOP + DONE, "stop"],
      [STOP + used(1), "stop"],
      [STOP + used(0) + DONE, "stop"],
      [chunk({ delta: { reasoning: "hm" } }) + chunk({ delta: {}, finish_reason: "length" }) + used(100), "length"],
      [
        chunk({ delta: { content: "" }, finish_reason: "length" })
          + used(100, { completion_tokens_details: { reasoning_tokens: 100 } }),
        "length"
      ],
      [say(" \n") + STOP + used(2), "stop"]
    ] as const
    for (const [body, end] of bodies) assert.strictEqual(read(body).end, end, body)
  })

  it("is counted wherever the provider sends the counts, before or after its end, once or with every event", () => {
    const usage = { prompt_tokens: 5, completion_tokens: 3 }
    const bodies = [
      say("A room.") + STOP + event({ choices: [], usage }),
      say("A room.") + event({ choices: [], usage }) + STOP,
      say("A room.") + event({ choices: [], usage: null, x_groq: { usage } }) + STOP,
      say("A room.") + chunk({ delta: {}, finish_reason: "stop", usage }),
      chunk({ delta: { content: "A" } }, { usage: { prompt_tokens: 5, completion_tokens: 1 } })
        + chunk({ delta: { content: " room." }, finish_reason: "stop" }, { usage })
        + event({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } }),
      say("A room.") + event({ usage: { input_tokens: 5, output_tokens: 3 } }) + STOP,
      say("A room.") + STOP + event({ usage }) + event({ choices: [], usage: null }) + DONE
    ]
    for (const body of bodies) assert.deepInclude(read(body).outcome, { usage: { input: 5, output: 3 } }, body)
  })
})

describe("a body of anything", () => {
  const json = fc.json({ maxDepth: 4 })
  it("is an answer or a failure, wherever it is cut, and an answer's text is whole", () => {
    fc.assert(
      fc.property(
        json,
        json,
        fc.string({ unit: "binary" }),
        fc.integer({ min: 1, max: 9 }),
        (one, other, text, size) => {
          const bodies = [
            one,
            `${one}\n${other}`,
            `data: {"choices":[{"delta":${one},"message":${other}}]}\n\n`,
            `data: {"choices":[{"delta":{"content":${one}},"finish_reason":${other}}]}\n\n`,
            `data: {"error":${one},"choices":[${other}]}\n\n`,
            say(text) + STOP
          ]
          for (const body of bodies) {
            const bytes = Buffer.from(body)
            const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
              bytes.subarray(n * size, (n + 1) * size)
            )
            const whole = outcomeOf([bytes])
            assert.deepStrictEqual([outcomeOf(parts).end, outcomeOf(parts).text], [whole.end, whole.text])
          }
        }
      )
    )
  })
})
