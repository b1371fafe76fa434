import { assert, describe, it } from "@effect/vitest"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { chunk, DONE, event } from "@llm-saas/testing/FakeUpstream"
import * as fc from "fast-check"
import type { Reading } from "../src/ChatOutput.ts"
import { ChatStream } from "../src/ChatStream.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"

const CANONICAL: Reading = { choices: 1, simple: false, ownUsage: true, newId: () => "made" }

/** The pieces of a body, and how it ended. */
const read = (body: string, reading: Partial<Reading> = {}) => {
  const pieces: Array<ModelPiece> = []
  const stream = new ChatStream(
    (piece) => pieces.push(piece),
    { texts: [], maxTokens: 100 },
    { ...CANONICAL, ...reading }
  )
  stream.push(Buffer.from(body))
  const end = stream.end()
  return { pieces, end, reason: end instanceof ProviderFailure ? end.reason : end.finishReason }
}

const delta = (turn: Readonly<Record<string, unknown>>) => chunk({ delta: turn, finish_reason: null })
const stop = (reason = "stop") => chunk({ delta: {}, finish_reason: reason }) + DONE
const call = (fields: Readonly<Record<string, unknown>>) => delta({ tool_calls: [fields] })
const begun = (number: number, id: string, name: string, text = "") =>
  ({ type: "tool_call", call: number, id, name, arguments: text }) as const
const more = (number: number, text: string) => ({ type: "tool_call", call: number, arguments: text }) as const

describe("calls of tools", () => {
  const wanted = [begun(0, "a", "f"), more(0, '{"x":'), more(0, "1}"), begun(1, "b", "g", '{"y":2}')]

  it("are read as OpenAI sends them, several at a time", () => {
    const body = [
      call({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }),
      call({ index: 0, function: { arguments: '{"x":' } }),
      call({ index: 0, function: { arguments: "1}" } }),
      call({ index: 1, id: "b", type: "function", function: { name: "g", arguments: '{"y":2}' } }),
      stop("tool_calls")
    ].join("")
    assert.deepStrictEqual(read(body).pieces, wanted)
    assert.strictEqual(read(body).reason, "tool_calls")
  })

  it("are the same from servers that repeat ids and names, send no index, or one index for all", () => {
    const forms = [
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":' } }),
        call({ index: 0, id: "a", function: { name: "f", arguments: "1}" } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":2}' } })
      ],
      [
        call({ id: "a", function: { name: "f", arguments: "" } }),
        call({ function: { arguments: '{"x":' } }),
        call({ function: { arguments: "1}" } }),
        call({ id: "b", function: { name: "g", arguments: '{"y":2}' } })
      ],
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 0, id: "", function: { name: null, arguments: '{"x":' } }),
        call({ index: 0, id: null, function: { name: "", arguments: "1}" } }),
        call({ index: 0, id: "b", function: { name: "g", arguments: { y: 2 } } })
      ],
      // All of it once more at the end, and as a message too.
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 0, function: { arguments: '{"x":' } }),
        call({ index: 0, function: { arguments: "1}" } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
        chunk({ delta: {}, message: { tool_calls: [{ id: "a", function: { name: "f", arguments: '{"x":1}' } }] } })
      ]
    ]
    for (const form of forms) assert.deepStrictEqual(read(form.join("") + stop()).pieces, wanted)
    for (const form of forms) assert.strictEqual(read(form.join("") + stop()).reason, "tool_calls")
  })

  it("have an id, and begin when their name is known", () => {
    const nameless = call({ index: 0, function: { arguments: "{" } }) + call({ index: 0, function: { name: "f" } })
    assert.deepStrictEqual(read(nameless + stop()).pieces, [begun(0, "made", "f", "{")])
    const legacy =
      delta({ function_call: { name: "f", arguments: "{" } })
      + delta({ function_call: { arguments: "}" } })
      + stop("function_call")
    assert.deepStrictEqual(read(legacy).pieces, [begun(0, "made", "f", "{"), more(0, "}")])
    assert.strictEqual(read(legacy).reason, "tool_calls")
    const custom = call({ index: 0, id: "a", type: "custom", custom: { name: "f", input: "ls" } }) + stop()
    assert.deepStrictEqual(read(custom).pieces, [{ ...begun(0, "a", "f", "ls"), custom: true }])
  })

  it("are in a whole answer too", () => {
    const body = JSON.stringify({
      choices: [
        {
          message: {
            tool_calls: [
              { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
              { id: "b", type: "function", function: { name: "f", arguments: "{}" } }
            ],
            content: "Look:",
            reasoning: "hm"
          },
          finish_reason: "tool_calls"
        }
      ]
    })
    const thought = { type: "reasoning", text: "hm" } as const
    assert.deepStrictEqual(read(body).pieces, [thought, "Look:", begun(0, "a", "f", "{}"), begun(1, "b", "f", "{}")])
  })

  it("arrive whole wherever the arguments are cut, many at once", () => {
    const calls = fc.array(fc.tuple(fc.constantFrom("f", "g"), fc.array(fc.string())), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(calls, fc.boolean(), (all, parallel) => {
        const first = all.map(([name], index) => call({ index, id: `c${index}`, function: { name, arguments: "" } }))
        const rest = all.map(([, parts], index) => parts.map((text) => call({ index, function: { arguments: text } })))
        const body = parallel
          ? [...first, ...rest.flat()]
          : first.flatMap((each, index) => [each, ...(rest[index] ?? [])])
        const texts = new Map<number, string>()
        for (const piece of read(body.join("") + stop()).pieces)
          if (typeof piece !== "string" && piece.type === "tool_call")
            texts.set(piece.call, (texts.get(piece.call) ?? "") + (piece.arguments ?? ""))
        // A part that repeats all before it, as one object, is such a repetition.
        const isRepeated = all.some(([, parts]) => parts.some((part) => part.startsWith("{") && part.endsWith("}")))
        fc.pre(!isRepeated)
        assert.deepStrictEqual(
          [...texts.values()],
          all.map(([, parts]) => parts.join(""))
        )
      })
    )
  })
})

describe("what is beside the text", () => {
  it("is thoughts, under any of their names, with what proves them", () => {
    const forms: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { reasoning_content: "hm" },
      { reasoning: "hm" },
      { reasoning: "hm", reasoning_content: "hm" },
      { reasoning_text: "hm" },
      { thinking: "hm" },
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] },
      { reasoning_details: [{ type: "reasoning.text", text: "hm" }] },
      { reasoning: "hm", reasoning_details: [{ type: "reasoning.text", text: "hm" }] },
      { thinking_blocks: [{ type: "thinking", thinking: "hm" }] }
    ]
    for (const form of forms)
      assert.deepStrictEqual(read(delta(form) + delta({ content: "A" }) + stop()).pieces, [
        { type: "reasoning", text: "hm" },
        "A"
      ])
    const signed = delta({
      content: "A",
      thinking_blocks: [
        { type: "thinking", thinking: "hm", signature: "s" },
        { type: "redacted_thinking", data: "d" }
      ]
    })
    assert.deepStrictEqual(read(signed + stop()).pieces, [
      { type: "reasoning", text: "hm" },
      { type: "signature", signature: "s" },
      { type: "encrypted", data: "d" },
      "A"
    ])
  })

  it("is a refusal, citations, the transcript of audio, and the stop sequence", () => {
    assert.deepStrictEqual(read(delta({ refusal: "No." }) + stop()).pieces, [{ type: "refusal", text: "No." }])
    const cited = delta({ content: "A", annotations: [{ type: "url_citation" }] })
    assert.deepInclude(read(cited + stop()).pieces, {
      type: "annotation",
      dialect: "chat",
      value: { type: "url_citation" }
    })
    assert.deepStrictEqual(read(delta({ audio: { id: "x", data: "AAAA", transcript: "A" } }) + stop()).pieces, ["A"])
    const stopped = delta({ content: "A" }) + chunk({ delta: {}, finish_reason: "stop", stop_reason: "END" }) + DONE
    assert.deepStrictEqual(read(stopped).pieces, ["A", { type: "finish", reason: "stop", stopSequence: "END" }])
  })

  it("is not shown to a client that knows texts only", () => {
    const body = delta({ reasoning: "hm" }) + delta({ refusal: "No." }) + stop()
    assert.deepStrictEqual(read(body, { simple: true }).pieces, ["No."])
  })

  it("is other choices, if they were asked for, each with its end", () => {
    const other = (index: number, turn: unknown, reason: string | null = null) =>
      chunk({ index, delta: turn, finish_reason: reason })
    const body = other(0, { content: "A" }) + other(1, { content: "B" }) + other(0, {}, "stop")
    const whole = `${body + other(1, {}, "length")}${DONE}`
    assert.deepStrictEqual(read(whole, { choices: 2 }).pieces, [
      "A",
      { type: "text", text: "B", choice: 1 },
      { type: "finish", reason: "length", choice: 1 }
    ])
    assert.deepStrictEqual(read(whole).pieces, ["A"])
    assert.strictEqual(read(body, { choices: 2 }).reason, "model_cut")
    assert.strictEqual(read(body + DONE, { choices: 2 }).reason, "model_cut")
  })

  it("is the usage, with its parts", () => {
    const counted = (usage: Readonly<Record<string, unknown>>) => {
      const { end } = read(
        delta({ content: "A" }) + chunk({ delta: {}, finish_reason: "stop" }) + event({ choices: [], usage }) + DONE
      )
      return end instanceof ProviderFailure ? end : end.usage
    }
    const tokens = { prompt_tokens: 10, completion_tokens: 20 }
    assert.deepStrictEqual(
      counted({
        ...tokens,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0, audio_tokens: 1, image_tokens: 2 },
        completion_tokens_details: {
          reasoning_tokens: 5,
          audio_tokens: 3,
          accepted_prediction_tokens: 1,
          rejected_prediction_tokens: 2
        }
      }),
      {
        input: 10,
        output: 20,
        details: {
          cacheRead: 4,
          cacheWrite: 0,
          audioInput: 1,
          imageInput: 2,
          reasoning: 5,
          audioOutput: 3,
          acceptedPrediction: 1,
          rejectedPrediction: 2
        }
      }
    )
    assert.deepStrictEqual(counted({ ...tokens, prompt_cache_hit_tokens: 4 }), {
      input: 10,
      output: 20,
      details: { cacheRead: 4 }
    })
    // xAI counts thoughts beside the output.
    assert.deepInclude(counted({ ...tokens, total_tokens: 35, completion_tokens_details: { reasoning_tokens: 5 } }), {
      output: 25
    })
  })
})
