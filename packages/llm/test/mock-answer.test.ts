import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { type InputItem, type ModelRequest, ofTexts } from "@llm-saas/domain/ModelRequest"
import { answerTo, inputTokens, vectorOf } from "../src/MockAnswer.ts"
import { exampleOf } from "../src/MockSchema.ts"

const ask = (content: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  ...ofTexts("mock-1", [{ role: "user", content }]),
  ...more
})

const said = (request: ModelRequest, tokens = 30) => {
  const { count, finishReason, pieces } = answerTo(request, tokens)
  const all: Array<ModelPiece> = []
  for (const iterator = pieces(); all.length < count;) {
    const { done, value } = iterator.next()
    if (done === true) break
    all.push(value)
  }
  return { all, finishReason, text: all.filter((piece) => typeof piece === "string").join("") }
}

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const tools = [
  { type: "function", name: "get_weather", parameters: city },
  { type: "function", name: "localTime", parameters: city },
  { type: "custom", name: "note" }
] as const

const calls = (request: ModelRequest) => {
  const { all, finishReason } = said(request)
  const found: Array<{ name: string; args: string }> = []
  for (const piece of all) {
    if (typeof piece === "string" || piece.type !== "tool_call") assert.fail("only calls")
    found[piece.call] ??= { name: piece.name ?? "", args: "" }
    found[piece.call]!.args += piece.arguments ?? ""
  }
  return { found, finishReason }
}

describe("the mock", () => {
  it("calls the tools that the question names, and all that it must", () => {
    const weather = { name: "get_weather", args: '{"city":"Paris"}' }
    const time = { name: "localTime", args: '{"city":"Paris"}' }
    const question = "What are the weather and the time in Paris?"
    assert.deepStrictEqual(calls(ask(question, { tools })), { found: [weather, time], finishReason: "tool_calls" })
    assert.deepStrictEqual(calls(ask(question, { tools, parallelToolCalls: false })).found, [weather])
    assert.deepStrictEqual(calls(ask("Hello Paris", { tools, toolChoice: { type: "required" } })).found.length, 1)
    const one = calls(ask("Write to Paris", { tools, toolChoice: { type: "tool", name: "note" } })).found
    assert.deepStrictEqual(one, [{ name: "note", args: "Paris" }])
    for (const request of [
      ask("Hello", { tools }),
      ask("weather", { tools, toolChoice: { type: "none" } }),
      ask("weather", { tools: [] })
    ])
      assert.strictEqual(said(request).finishReason, "stop")
  })

  it("says what a tool said, and does not call it again", () => {
    const input: ReadonlyArray<InputItem> = [
      ...ask("The weather in Paris?").input,
      { type: "tool_call", id: "c1", name: "get_weather", arguments: "{}" },
      { type: "tool_result", id: "c1", parts: [{ type: "text", text: "18 °C" }] }
    ]
    assert.include(said(ask("", { input, tools })).text, "get_weather says: 18 °C.")
  })

  it("says what it sees", () => {
    const data = Buffer.alloc(10).toString("base64")
    const input: ReadonlyArray<InputItem> = [
      {
        type: "message",
        role: "user",
        parts: [
          { type: "text", text: "What is this?" },
          { type: "image", source: { kind: "data", mediaType: "image/png", data } },
          { type: "file", name: "a.pdf", source: { kind: "id", id: "f" } },
          { type: "audio", data, format: "wav" }
        ]
      }
    ]
    assert.match(
      said(ask("", { input })).text,
      /^I see an image \(image\/png, 10 bytes\) and a file \(a\.pdf, by its id\) and a sound \(wav, 10 bytes\)\./u
    )
  })

  it("answers in the form of a schema, or in JSON", () => {
    const schema: JsonObject = {
      type: "object",
      properties: {
        name: { type: "string" },
        kind: { enum: ["b", "c"] },
        parts: { type: "array", items: { $ref: "#/$defs/part" }, minItems: 2 },
        at: { type: "string", format: "date" }
      },
      required: ["name", "kind", "parts", "at"],
      $defs: {
        part: {
          type: "object",
          properties: { size: { type: "integer", minimum: 3 }, inner: { $ref: "#/$defs/part" } },
          required: ["size"]
        }
      }
    }
    const { text } = said(ask("What is a room?", { format: { type: "schema", name: "x", schema } }))
    const value = JSON.parse(text)
    assert.deepInclude(value, { name: "room", kind: "b", at: "2026-01-01" })
    assert.strictEqual(value.parts.length, 2)
    assert.strictEqual(value.parts[0].size, 3)
    assert.deepStrictEqual(JSON.parse(said(ask("A room?", { format: { type: "json" } })).text), { answer: "room" })
    assert.isNull(exampleOf({ $ref: "#" }, "x"))
    assert.deepStrictEqual(exampleOf({ type: ["null", "string"] }, "x"), null)
  })

  it("keeps to the most tokens, to stop sequences, and to the number of answers", () => {
    const cut = said(ask("What is a room?", { maxTokens: 5 }))
    assert.deepStrictEqual([cut.all.length, cut.finishReason], [5, "length"])
    const whole = said(ask("What is a room?")).text
    const word = whole.split(" ")[3] ?? ""
    const stopped = said(ask("What is a room?", { sampling: { stop: ["never", word] } }))
    assert.strictEqual(stopped.text, whole.slice(0, whole.indexOf(word)))
    assert.deepStrictEqual(stopped.all.at(-1), { type: "finish", reason: "stop", stopSequence: word })
    const three = said(ask("What is a room?", { sampling: { choices: 3 } })).all
    for (const choice of [1, 2]) {
      const text = three.flatMap((piece) =>
        typeof piece === "object" && piece.type === "text" && piece.choice === choice ? [piece.text] : []
      )
      assert.strictEqual(text.join(""), whole)
    }
  })

  it("thinks where it is told how much", () => {
    const { all } = said(ask("What is a room?", { reasoning: { effort: "low" } }))
    const thoughts = all.flatMap((piece) =>
      typeof piece === "object" && piece.type === "reasoning" ? [piece.text] : []
    )
    assert.strictEqual(thoughts.join(""), "The question is about room.")
    assert.isTrue(all.some((piece) => typeof piece === "object" && piece.type === "signature"))
    assert.strictEqual(
      said(ask("What is a room?", { reasoning: { effort: "none" } })).text,
      said(ask("What is a room?")).text
    )
  })

  it("counts what is sent, and makes vectors of length 1", () => {
    assert.isAbove(inputTokens(ask("weather", { tools })), inputTokens(ask("weather")) + 20)
    const vector = vectorOf("a", 3)
    assert.closeTo(Math.hypot(...vector), 1, 1e-9)
    assert.deepStrictEqual(vectorOf("a", 3), vector)
    assert.notDeepEqual(vectorOf("b", 3), vector)
    assert.strictEqual(vectorOf([1, 2]).length, 256)
  })
})
