import { assert, describe, it } from "@effect/vitest"
import { ConversationId } from "@llm-saas/domain/Conversation"
import type { InputItem } from "@llm-saas/domain/ModelRequest"
import type { QuestionBody } from "@llm-saas/domain/Question"
import { askedOf } from "@llm-saas/domain/QuestionRequest"
import { type AnsweredQuestion, promptOf, withHistory } from "@llm-saas/engine/generations/ConversationHistory"
import * as fc from "fast-check"

const visible = fc.constantFrom("a", "é", "🏠", "房", ".", "a b", "\n x \t")
const blank = fc.constantFrom(
  "",
  " ",
  "\n",
  "\t \r\n",
  "\u00a0",
  "\u200b",
  "\ufeff",
  "\u2028",
  "\u0085",
  "\u001f",
  "\u3000"
)
const text = fc.oneof(visible, blank)

describe("the prompt", () => {
  it("has no blank turn but the question, begins and ends with a question, and never two turns of one side in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ content: text, response: text })), visible, (history, question) => {
        const prompt = promptOf(history, question, 1_000_000)
        for (const [index, { content, role }] of prompt.entries()) {
          assert.strictEqual(role, index % 2 === 0 ? "user" : "assistant")
          assert.match(content, /[a-zé🏠房.]/u)
        }
        assert.deepStrictEqual(prompt.at(-1), { role: "user", content: question })
        const whole = history.filter(({ content, response }) =>
          [content, response].every((each) => /[a-zé🏠房.]/u.test(each))
        )
        assert.strictEqual(prompt.length, 2 * whole.length + 1)
      })
    )
  })

  it("leaves out a blank answer, and keeps the turns before it", () => {
    const history = [
      { content: "one?", response: "one." },
      { content: "two?", response: " \n" },
      { content: "three?", response: "three." }
    ]
    assert.deepStrictEqual(
      promptOf(history, "four?", 1000).map(({ content }) => content),
      ["one?", "one.", "three?", "three.", "four?"]
    )
  })
})

const CONVERSATION = ConversationId.make("01975a6e-0c8b-7d1e-9a54-5a4f0d3c2b1a")

const requestOf = (question: QuestionBody) => {
  const { request } = askedOf({ conversation_id: CONVERSATION, temperature: 0, ...question })
  assert.isDefined(request)
  return request
}

/** A question as it was stored. */
const answered = (question: QuestionBody, response: string, calls: ReadonlyArray<string> = []): AnsweredQuestion => {
  const { body, content } = askedOf(question)
  return {
    content,
    response,
    request: body === undefined ? null : JSON.stringify(body),
    tool_calls:
      calls.length === 0
        ? null
        : JSON.stringify(calls.map((id) => ({ id, name: "get_weather", arguments: `{"a":"${id}"}` })))
  }
}

const results = (...ids: ReadonlyArray<string>) => ids.map((id) => ({ id, content: `result of ${id}` }))
const tools = [{ name: "get_weather" }]

/** An item in a word. */
const short = (item: InputItem): string => {
  switch (item.type) {
    case "message":
      return `${item.role}: ${item.parts.map((part) => (part.type === "text" ? part.text : part.type)).join(" ")}`
    case "tool_call":
      return `call ${item.id}`
    case "tool_result":
      return `result ${item.id}`
    case "reasoning":
      return "reasoning"
  }
}

describe("a question in a conversation", () => {
  it("has the calls of earlier answers, with their results", () => {
    const history = [
      answered({ content: "Weather?", tools }, "", ["1", "2"]),
      answered({ tool_results: results("1", "2"), tools }, "Rain.", ["1"])
    ]
    const request = requestOf({ tool_results: results("1"), content: "And now?", tools })
    const found = withHistory(request, { history, system: "Be brief." }, 1000)
    assert.deepStrictEqual(found.input.map(short), [
      "system: Be brief.",
      "user: Weather?",
      "call 1",
      "call 2",
      "result 1",
      "result 2",
      "assistant: Rain.",
      "call 1",
      "result 1",
      "user: And now?"
    ])
    assert.deepStrictEqual(found.tools, [{ type: "function", name: "get_weather" }])
    assert.isUndefined(found.toolChoice)
    const own = withHistory(requestOf({ content: "Hi", system: "Say all." }), { history, system: "Be brief." }, 1000)
    assert.strictEqual(own.input.map(short)[0], "system: Say all.")
  })

  it("leaves out calls that nobody answered; declares the tools of calls that are left, which are not called again", () => {
    const history = [
      answered({ content: "Weather?", tools }, "", ["1"]),
      answered({ content: "Never mind." }, "All right."),
      answered({ content: "Weather?", tools }, "", ["2"]),
      answered({ tool_results: results("2") }, "Rain.")
    ]
    const found = withHistory(requestOf({ content: "Thanks." }), { history, system: null }, 1000)
    assert.deepStrictEqual(found.input.map(short), [
      "user: Never mind.",
      "assistant: All right.",
      "user: Weather?",
      "call 2",
      "result 2",
      "assistant: Rain.",
      "user: Thanks."
    ])
    assert.deepStrictEqual(
      [found.tools, found.toolChoice],
      [[{ type: "function", name: "get_weather" }], { type: "none" }]
    )
  })

  it("has earlier attachments, as far as they fit, and texts of questions whose attachments are not kept", () => {
    const image = { media_type: "image/png", data: "AAAA" }
    const history = [
      answered({ content: "What is this?", attachments: [image] }, "A room."),
      { ...answered({ content: "And this?", attachments: [image] }, "A wall."), request: null }
    ]
    const request = requestOf({ content: "Why?" })
    const { input } = withHistory(request, { history, system: null }, 10_000)
    assert.deepStrictEqual(input.map(short), [
      "user: image What is this?",
      "assistant: A room.",
      "user: And this?",
      "assistant: A wall.",
      "user: Why?"
    ])
    assert.lengthOf(withHistory(request, { history, system: null }, 1000).input, 3)
  })

  it("has for each call one result after it, and for each result a call before it, whatever was answered and fits", () => {
    const ids = fc.subarray(["1", "2", "3"])
    const exchange = fc
      .record({ content: fc.option(visible), results: ids, response: text, calls: ids })
      .filter(({ content, results: given }) => content !== null || given.length > 0)
    fc.assert(
      fc.property(fc.array(exchange), ids, fc.integer({ min: 0, max: 200 }), (exchanges, last, budget) => {
        const history = exchanges.map(({ calls, content, response, results: given }) =>
          answered({ ...(content === null ? {} : { content }), tool_results: results(...given) }, response, calls)
        )
        const before = exchanges.at(-1)?.calls ?? []
        const request = requestOf({
          content: "Why?",
          tool_results: results(...last.filter((id) => before.includes(id)))
        })
        const { input } = withHistory(request, { history, system: null }, budget)
        const own = request.input.length
        const open = new Set<string>()
        for (const item of input) {
          if (item.type === "tool_call") open.add(item.id)
          else if (item.type === "tool_result") {
            assert.isTrue(open.has(item.id))
            open.delete(item.id)
          } else if (item.type === "message" && item.role === "assistant") assert.strictEqual(open.size, 0)
        }
        assert.strictEqual(open.size, 0)
        assert.deepStrictEqual(input.slice(-own), request.input)
      })
    )
  })
})
