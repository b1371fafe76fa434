import { assert, describe, it } from "@effect/vitest"
import { chatWhole } from "@llm-saas/dialects/chat/ChatWhole"
import { chatWriter } from "@llm-saas/dialects/chat/ChatWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { entryOf, isEvent, type ModelPiece, visibleText } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"
import type { Reading } from "../src/ChatOutput.ts"
import { ChatStream } from "../src/ChatStream.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"

const RAW: Reading = { raw: "stream", choices: 8, simple: false, ownUsage: false, newId: () => "made" }
const HEAD = { generationId: "01234567-89ab-cdef-0123-456789abcdef", createdAt: 1, model: "m", request: {} }
const ID = "chatcmpl-0123456789abcdef0123456789abcdef"

const read = (parts: ReadonlyArray<Uint8Array>, reading: Reading = RAW) => {
  const pieces: Array<ModelPiece> = []
  const stream = new ChatStream((piece) => pieces.push(piece), { texts: [], maxTokens: 100 }, reading)
  for (const part of parts) if (stream.push(part) !== undefined) break
  return { pieces, end: stream.end() }
}

const entries = (pieces: ReadonlyArray<ModelPiece>) =>
  pieces.map((piece) => (typeof piece === "string" ? piece : entryOf(piece)))

/** What a client of the same dialect gets. */
const written = (pieces: ReadonlyArray<ModelPiece>) => {
  const writer = chatWriter(HEAD)
  const end = { finishReason: "stop", usage: undefined, model: undefined } as const
  return (
    writer.begin()
    + entries(pieces)
      .map((entry) => writer.entry(entry))
      .join("")
    + writer.end(end)
  )
}
const framesOf = (wire: string): ReadonlyArray<unknown> =>
  wire
    .split("\n\n")
    .filter((frame) => frame !== "" && frame !== "data: [DONE]")
    .map((frame): unknown => JSON.parse(frame.slice("data: ".length)))

/** The text that a choice adds to the answer's. */
const textOf = (choice: unknown): string => {
  if (!isJsonObject(choice) || choice["index"] !== 0 || !isJsonObject(choice["delta"])) return ""
  const { content } = choice["delta"]
  return typeof content === "string" ? content : ""
}

const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>) => {
  const ends = [...places.map((place) => Math.floor((bytes.length * place) / 1000)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "a",
    " b",
    "\n",
    '"',
    "\\",
    "\r\n",
    "\0",
    "\u2028",
    "\u0085",
    "[DONE]",
    "\ud83c\udfe0",
    "\ud800",
    "\u001e{"
  )
)
const value = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  .map((json): unknown => JSON.parse(JSON.stringify(json)))
/** Names that are no sign of an error. */
const name = fc.constantFrom("x", "provider_specific", "logprobs", "obfuscation", "name")
const delta = fc.oneof(
  fc.record({ content: text }),
  fc.record({ content: text, refusal: fc.constant(null), role: fc.constant("assistant") }),
  fc.record({ reasoning_content: text }),
  fc.record({
    tool_calls: fc.array(fc.record({ index: fc.nat(3), id: fc.string(), function: fc.record({ arguments: text }) }))
  }),
  fc.dictionary(name, value)
)
const finish = fc.constantFrom(null, null, null, "stop")
const choice = fc.record({ index: fc.constantFrom(0, 0, 0, 1), delta, finish_reason: finish, logprobs: value })
const chunks = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: delta.map((one) => ({ id: "up", choices: [{ index: 0, delta: one, finish_reason: null }] }))
    },
    fc.record({
      id: fc.constant("up"),
      model: fc.constant("m-1"),
      choices: fc.array(choice),
      more: fc.dictionary(name, value)
    }),
    fc.record({
      id: fc.constant("up"),
      choices: fc.constant([]),
      usage: fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() })
    })
  ),
  { minLength: 1, maxLength: 30 }
)
const LAST = { id: "up", choices: [0, 1].map((index) => ({ index, delta: {}, finish_reason: "stop" })) }

describe("an answer in the client's own dialect", () => {
  it("is what the provider sent, beside its id, wherever its bytes are cut", () => {
    fc.assert(
      fc.property(
        chunks,
        fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 }),
        fc.nat(2),
        (sent, cuts, spaces) => {
          const all: ReadonlyArray<{ readonly choices: ReadonlyArray<unknown> }> = [...sent, LAST]
          const form = (each: unknown) =>
            spaces === 0 ? JSON.stringify(each) : JSON.stringify(each, undefined, 1).replaceAll("\n", "")
          const wire = Buffer.from(`${all.map((each) => `data: ${form(each)}\n\n`).join("")}data: [DONE]\n\n`)
          const { end, pieces } = read(cutAt(wire, cuts))
          assert.notInstanceOf(end, ProviderFailure)
          assert.deepStrictEqual(
            framesOf(written(pieces)),
            all.map((each) => ({ ...JSON.parse(JSON.stringify(each)), id: ID }))
          )
          // A log of texts keeps each of them as it is.
          for (const entry of entries(pieces)) assert.match(entry, /^[^\r\0\v\f\u0085\u2028\u2029]+$/u)
          const said = all.flatMap(({ choices }) => choices.map(textOf)).join("")
          assert.strictEqual(pieces.map(visibleText).join(""), said)
        }
      )
    )
  })

  it("is kept as texts where only the text changes", () => {
    const wire = ["A", " room", ".", "\n", "b"].map(
      (content) =>
        `data: ${JSON.stringify({ id: "up", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
    )
    const { pieces } = read([Buffer.from(wire.join(""))])
    assert.deepStrictEqual(
      entries(pieces).map((entry) => (isEvent(entry) ? "event" : entry)),
      ["event", "event", " room", ".", "\n", "b"]
    )
  })

  it("shows nothing until there is something: the question may still be asked again", () => {
    const role = { id: "up", choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] }
    const stream = new ChatStream(() => {}, { texts: [], maxTokens: 1 }, RAW)
    stream.push(Buffer.from(`data: ${JSON.stringify(role)}\n\n`))
    assert.isFalse(stream.said)
    stream.push(Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"A"}}]}\n\n'))
    assert.isTrue(stream.said)
  })

  it("has no event for the usage that only we asked for", () => {
    const usage = { id: "up", choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }
    const wire = Buffer.from(
      [LAST, usage].map((each) => `data: ${JSON.stringify(each)}\n\n`).join("") + "data: [DONE]\n\n"
    )
    const { end, pieces } = read([wire], { ...RAW, ownUsage: true })
    assert.lengthOf(pieces, 1)
    assert.deepInclude(end, { usage: { input: 1, output: 2 } })
    assert.lengthOf(read([wire]).pieces, 2)
  })

  it("may be one value", () => {
    const whole: JsonObject = {
      id: "up",
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: "A room.", x: 1 }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
      y: [1]
    }
    const { end, pieces } = read([Buffer.from(JSON.stringify(whole, undefined, 2))], { ...RAW, raw: "whole" })
    assert.deepStrictEqual(pieces, [{ type: "raw", dialect: "chat", event: whole, text: "A room." }])
    assert.deepInclude(end, { finishReason: "stop", usage: { input: 1, output: 2 } })
    const about = { finishReason: "stop", usage: undefined, model: undefined } as const
    assert.deepStrictEqual(chatWhole(HEAD, entries(pieces), about), { ...whole, id: ID })
    // A server that answers in the other form than it was asked for is understood all the same.
    assert.deepStrictEqual(read([Buffer.from(JSON.stringify(whole))]).pieces, ["A room."])
    const event = `data: ${JSON.stringify({ choices: [{ delta: { content: "A" }, finish_reason: "stop" }] })}\n\n`
    assert.deepStrictEqual(read([Buffer.from(event)], { ...RAW, raw: "whole" }).pieces, ["A"])
  })

  it("that has an error in it is a failure", () => {
    const wire = `data: {"choices":[{"delta":{"content":"A"}}]}\n\ndata: {"error":{"message":"boom","code":500}}\n\n`
    const { end, pieces } = read([Buffer.from(wire)])
    assert.instanceOf(end, ProviderFailure)
    assert.lengthOf(pieces, 1)
  })
})

describe("a hostile provider", () => {
  const LIMIT_MS = 5000
  const took = (work: () => unknown): number => {
    const from = performance.now()
    work()
    return performance.now() - from
  }
  const canonical: Reading = { choices: 1, simple: false, ownUsage: true, newId: () => "made" }
  const call = (index: number, more: Readonly<Record<string, unknown>>) =>
    Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [{ index, ...more }] } }] })}\n\n`)

  it("may call ten thousand tools at once, or one with megabytes of arguments", () => {
    for (const reading of [RAW, canonical]) {
      const many = Array.from({ length: 10_000 }, (_, index) => ({
        index,
        id: `c${index}`,
        function: { name: "f", arguments: "{}" }
      }))
      const wire = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { tool_calls: many } }] })}\n\n`)
      assert.isBelow(
        took(() => read([wire, wire], reading)),
        LIMIT_MS
      )
      const first = call(0, { id: "a", function: { name: "f", arguments: "" } })
      const part = call(0, { function: { arguments: "x".repeat(100) } })
      assert.isBelow(
        took(() => read([first, ...Array.from({ length: 40_000 }, () => part)], reading)),
        LIMIT_MS
      )
      const nameless = call(0, { function: { arguments: "x".repeat(100) } })
      assert.isBelow(
        took(() =>
          read(
            Array.from({ length: 40_000 }, () => nameless),
            reading
          )
        ),
        LIMIT_MS
      )
    }
  })

  it("may write each event in a form of its own", () => {
    for (const reading of [RAW, canonical]) {
      const events = Array.from({ length: 20_000 }, (_, index) =>
        Buffer.from(`data: {"choices":[{"delta":{"content":"a"}}],"x":${index}}\n\n`)
      )
      assert.isBelow(
        took(() => read(events, reading)),
        LIMIT_MS
      )
    }
  })

  it("may send anything: it is an answer or a failure, and never an exception", () => {
    const json = fc.json({ maxDepth: 4 })
    fc.assert(
      fc.property(json, json, fc.constantFrom("stream", "whole", undefined), (one, other, raw) => {
        for (const body of [
          `data: {"choices":[{"delta":${one},"message":${other}}]}\n\n`,
          `data: {"choices":[{"delta":{"tool_calls":${one},"function_call":${other}}}]}\n\n`,
          `data: {"choices":[{"delta":{"thinking_blocks":${one},"audio":${other},"annotations":${one}}}]}\n\n`,
          `{"choices":[{"message":{"content":${one},"tool_calls":[${other}]},"finish_reason":"stop"}]}`,
          `data: {"choices":${one},"usage":${other}}\n\n`
        ]) {
          const { end, pieces } = read([Buffer.from(body)], { ...canonical, raw })
          assert.isDefined(end)
          assert.isString(written(pieces))
        }
      })
    )
  })
})
