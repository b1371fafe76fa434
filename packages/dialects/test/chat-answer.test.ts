import { assert, describe, it } from "@effect/vitest"
import type { AnswerEnd, AnswerHead } from "@llm-saas/dialects/AnswerWriter"
import { answerId, generationIdOf } from "@llm-saas/dialects/AnswerId"
import { chatError } from "@llm-saas/dialects/chat/ChatErrors"
import { decodeChat } from "@llm-saas/dialects/chat/ChatRequest"
import { chatWhole } from "@llm-saas/dialects/chat/ChatWhole"
import { chatWriter } from "@llm-saas/dialects/chat/ChatWriter"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"

const GENERATION = "01234567-89ab-cdef-0123-456789abcdef"
const ID = "chatcmpl-0123456789abcdef0123456789abcdef"

const headOf = (request: JsonObject = {}): AnswerHead => ({
  generationId: GENERATION,
  createdAt: 1_700_000_000,
  model: "m",
  request
})
const END: AnswerEnd = { finishReason: "stop", usage: { input: 5, output: 3 }, model: "m-2026" }
const entries = (pieces: ReadonlyArray<ModelPiece>) =>
  pieces.map((piece) => (typeof piece === "string" ? piece : entryOf(piece)))

const written = (pieces: ReadonlyArray<ModelPiece>, request: JsonObject = {}, end: AnswerEnd = END) => {
  const writer = chatWriter(headOf(request))
  return writer.begin() + entries(pieces).map(writer.entry).join("") + writer.end(end)
}
const framesOf = (wire: string): ReadonlyArray<JsonObject> => {
  const frames = wire.split("\n\n")
  assert.deepStrictEqual(frames.slice(-2), ["data: [DONE]", ""])
  return frames.slice(0, -2).map((frame) => {
    const value: unknown = JSON.parse(frame.slice("data: ".length))
    return isJsonObject(value) ? value : assert.fail(frame)
  })
}
const choicesOf = (frames: ReadonlyArray<JsonObject>) =>
  frames.map(({ choices }) => (Array.isArray(choices) ? choices : [])).flat()

const usage = { stream_options: { include_usage: true } }

describe("an answer as chunks", () => {
  it("has one id, a role first, one reason, and the usage if it was asked for", () => {
    const frames = framesOf(written(["A ", "room."], usage))
    for (const { created, id, model, object } of frames)
      assert.deepStrictEqual([id, object, created, model], [ID, "chat.completion.chunk", 1_700_000_000, "m"])
    assert.deepStrictEqual(
      choicesOf(frames).map((choice) => [choice["delta"], choice["finish_reason"]]),
      [
        [{ role: "assistant", content: "A " }, null],
        [{ content: "room." }, null],
        [{}, "stop"]
      ]
    )
    assert.deepStrictEqual(
      frames.map((frame) => frame["usage"]),
      [null, null, null, { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }]
    )
    assert.deepStrictEqual(frames.at(-1)?.["choices"], [])
    assert.strictEqual(framesOf(written(["A"])).length, 2)
  })

  it("names a call once, and ends for it", () => {
    const frames = framesOf(
      written([
        { type: "tool_call", call: 0, id: "c0", name: "f", arguments: "" },
        { type: "tool_call", call: 0, arguments: '{"a":' },
        { type: "tool_call", call: 1, id: "c1", name: "run", custom: true, arguments: "ls" },
        { type: "tool_call", call: 0, arguments: "1}" }
      ])
    )
    assert.deepStrictEqual(
      choicesOf(frames).map((choice) => choice["delta"]),
      [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ index: 0, id: "c0", type: "function", function: { name: "f", arguments: "" } }]
        },
        { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
        { tool_calls: [{ index: 1, id: "c1", type: "custom", custom: { name: "run", input: "ls" } }] },
        { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
        {}
      ]
    )
    assert.strictEqual(choicesOf(frames).at(-1)?.["finish_reason"], "tool_calls")
  })

  it("calls a function for clients that know no tools", () => {
    const pieces: ReadonlyArray<ModelPiece> = [{ type: "tool_call", call: 0, id: "c0", name: "f", arguments: "{}" }]
    const [first, last] = choicesOf(framesOf(written(pieces, { functions: [{ name: "f" }] })))
    assert.deepInclude(first?.["delta"], { function_call: { name: "f", arguments: "{}" } })
    assert.strictEqual(last?.["finish_reason"], "function_call")
    const whole = chatWhole(headOf({ functions: [{ name: "f" }] }), entries(pieces), {
      ...END,
      finishReason: "tool_calls"
    })
    assert.deepInclude(choicesOf([whole])[0], { finish_reason: "function_call" })
  })

  it("shows thoughts under both names, and their signature as a block", () => {
    const [thought, block, text] = choicesOf(
      framesOf(written([{ type: "reasoning", text: "hm" }, { type: "signature", signature: "s" }, "A room."]))
    ).map((choice) => choice["delta"])
    assert.deepStrictEqual(thought, { role: "assistant", content: "", reasoning_content: "hm", reasoning: "hm" })
    assert.deepStrictEqual(block, { thinking_blocks: [{ type: "thinking", thinking: "hm", signature: "s" }] })
    assert.deepStrictEqual(text, { content: "A room." })
  })

  it("has a reason for each choice", () => {
    const frames = framesOf(
      written(["A", { type: "text", text: "B", choice: 1 }, { type: "finish", reason: "length", choice: 1 }])
    )
    assert.deepStrictEqual(
      choicesOf(frames)
        .filter((choice) => choice["finish_reason"] !== null)
        .map((choice) => [choice["index"], choice["finish_reason"]]),
      [
        [1, "length"],
        [0, "stop"]
      ]
    )
  })

  it("that failed has an error and no end", () => {
    const writer = chatWriter(headOf())
    const error = { status: 502, code: "model_failed", message: "No.", requestId: "r" }
    assert.strictEqual(writer.failure(error), `data: ${JSON.stringify(chatError(error))}\n\n`)
  })

  it("of the same dialect is what the provider sent, with our id", () => {
    const chunk = fc.record({
      id: fc.string(),
      x: fc.jsonValue({ maxDepth: 2 }),
      choices: fc.array(
        fc.record({
          index: fc.nat(3),
          delta: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
          finish_reason: fc.constantFrom(null, "stop")
        })
      )
    })
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const events = chunks.map((each) => JSON.parse(JSON.stringify(each)))
        const all = [...events, { id: "x", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }]
        const pieces = all.map((event) => ({ type: "raw" as const, dialect: "chat" as const, event }))
        const frames = framesOf(written(pieces)).slice(0, all.length)
        assert.deepStrictEqual(
          frames,
          all.map((event) => ({ ...event, id: ID }))
        )
      })
    )
  })

  it("gives texts back in the provider's form", () => {
    const texts = fc.array(fc.string({ minLength: 1, unit: "grapheme" }))
    fc.assert(
      fc.property(texts, fc.jsonValue({ maxDepth: 2 }), (said, x) => {
        const chunk = (content: string): JsonObject => ({
          id: "up",
          choices: [{ index: 0, delta: { content, x: asJson(x) }, finish_reason: null }],
          x: asJson(x)
        })
        const [before = "", after = ""] = JSON.stringify(chunk("\u0007")).split('"\\u0007"')
        const frames = framesOf(written([{ type: "shape", dialect: "chat", before, after }, ...said]))
        assert.deepStrictEqual(
          frames.slice(0, said.length),
          said.map((text) => ({ ...chunk(text), id: ID }))
        )
      })
    )
  })

  it("has the text of another dialect's own events", () => {
    const frames = framesOf(written([{ type: "raw", dialect: "anthropic", event: {}, text: "A" }]))
    assert.deepInclude(choicesOf(frames)[0]?.["delta"], { content: "A" })
  })
})

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value))

describe("an answer as one value", () => {
  it("is put together of its pieces", () => {
    const whole = chatWhole(
      headOf(),
      entries([
        { type: "reasoning", text: "h" },
        { type: "reasoning", text: "m" },
        "A ",
        "room.",
        { type: "annotation", dialect: "chat", value: { type: "url_citation" } },
        { type: "tool_call", call: 0, id: "c0", name: "f", arguments: "{" },
        { type: "tool_call", call: 0, arguments: "}" },
        { type: "text", text: "B", choice: 1 }
      ]),
      { ...END, usage: { input: 5, output: 3, details: { cacheRead: 2, reasoning: 0 } } }
    )
    assert.deepStrictEqual(whole, {
      id: ID,
      object: "chat.completion",
      created: 1_700_000_000,
      model: "m-2026",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "A room.",
            refusal: null,
            reasoning_content: "hm",
            reasoning: "hm",
            annotations: [{ type: "url_citation" }],
            tool_calls: [{ id: "c0", type: "function", function: { name: "f", arguments: "{}" } }]
          },
          logprobs: null,
          finish_reason: "tool_calls"
        },
        { index: 1, message: { role: "assistant", content: "B", refusal: null }, logprobs: null, finish_reason: "stop" }
      ],
      usage: {
        prompt_tokens: 5,
        completion_tokens: 3,
        total_tokens: 8,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 0 }
      }
    })
  })

  it("is the provider's own, with our id", () => {
    const event = { id: "up", choices: [{ index: 0, message: { content: "A" }, finish_reason: "stop" }], x: 1 }
    const raw = entries([{ type: "raw", dialect: "chat", event, text: "A" }])
    assert.deepStrictEqual(chatWhole(headOf(), raw, END), { ...event, id: ID })
    assert.deepStrictEqual(choicesOf(framesOf(written([{ type: "raw", dialect: "chat", event }])))[0], {
      index: 0,
      delta: { content: "A" },
      logprobs: null,
      finish_reason: "stop"
    })
  })

  it("can be sent back as a turn", () => {
    const whole = chatWhole(
      headOf(),
      entries([
        { type: "reasoning", text: "hm" },
        { type: "signature", signature: "s" },
        "A room.",
        { type: "tool_call", call: 0, id: "c0", name: "f", arguments: "{}" }
      ]),
      END
    )
    const decoded = decodeChat({ model: "m", messages: [choicesOf([whole])[0]?.["message"] ?? null] })
    assert.deepStrictEqual(decoded.type === "request" ? decoded.request.input : decoded, [
      { type: "reasoning", text: "hm", signature: "s" },
      { type: "message", role: "assistant", parts: [{ type: "text", text: "A room." }] },
      { type: "tool_call", id: "c0", name: "f", arguments: "{}" }
    ])
  })
})

describe("an error", () => {
  it("has the names that OpenAI's clients know", () => {
    const told = (status: number, code: string) => chatError({ status, code, message: "No.", requestId: "r" })["error"]
    assert.deepStrictEqual(told(429, "insufficient_quota"), {
      message: "No.",
      type: "insufficient_quota",
      param: null,
      code: "insufficient_quota"
    })
    assert.deepInclude(told(401, "unauthenticated"), { code: "invalid_api_key", type: "authentication_error" })
    assert.deepInclude(told(400, "context_too_long"), {
      code: "context_length_exceeded",
      type: "invalid_request_error"
    })
    assert.deepInclude(told(502, "model_failed"), { type: "server_error" })
  })
})

describe("an answer's id", () => {
  it("is the generation's", () => {
    assert.strictEqual(answerId("chatcmpl-", GENERATION), ID)
    assert.strictEqual(generationIdOf("chatcmpl-", ID), GENERATION)
    for (const id of ["chatcmpl-1", `resp_${ID.slice(9)}`, `${ID}0`, ""])
      assert.isUndefined(generationIdOf("chatcmpl-", id))
  })
})
