import { assert, describe, it } from "@effect/vitest"
import { inputItems, itemPage, turnOf } from "@llm-saas/dialects/responses/ResponsesTurns"
import { decodeResponses, type Earlier, needsOf } from "@llm-saas/dialects/responses/ResponsesRequest"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { InputItem } from "@llm-saas/domain/ModelRequest"
import * as fc from "fast-check"

const decoded = (body: JsonObject, earlier?: Earlier) => {
  const found = decodeResponses({ model: "m", ...body }, earlier)
  return found.type === "request" ? found : assert.fail(JSON.stringify(found))
}
const requestOf = (body: JsonObject, earlier?: Earlier) => decoded(body, earlier).request
const mistakeOf = (body: JsonObject) => {
  const found = decodeResponses({ model: "m", input: "hi", ...body })
  return found.type === "mistake" ? found.mistake.param : undefined
}

describe("a body of Responses", () => {
  it("is a text", () => {
    const body = { input: "hi", instructions: "Be kind." }
    assert.deepStrictEqual(requestOf(body), {
      model: "m",
      input: [
        { type: "message", role: "system", parts: [{ type: "text", text: "Be kind." }] },
        { type: "message", role: "user", parts: [{ type: "text", text: "hi" }] }
      ],
      stream: false,
      origin: { dialect: "responses", body: { model: "m", ...body } }
    })
    assert.deepInclude(decoded({ input: "hi" }), { store: true, background: false })
  })

  it("is items of every kind", () => {
    const search = { type: "web_search_call", id: "w", status: "completed" }
    const { input } = requestOf({
      input: [
        { role: "developer", content: "Be brief." },
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "low" },
            { type: "input_image", file_id: "file_1" },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,BBBB" },
            { type: "input_file", file_url: "https://a.example/b.pdf" },
            { type: "input_hologram", x: 1 }
          ]
        },
        { type: "reasoning", id: "rs", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAAA" },
        {
          type: "message",
          role: "assistant",
          content: [
            { type: "output_text", text: "A room.", annotations: [] },
            { type: "refusal", refusal: "No." }
          ]
        },
        { type: "function_call", call_id: "c0", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c0", output: "1" },
        { type: "custom_tool_call", call_id: "c1", name: "run", input: "ls" },
        { type: "custom_tool_call_output", call_id: "c1", output: [{ type: "input_text", text: "a" }] },
        search
      ]
    })
    assert.deepStrictEqual(input, [
      { type: "message", role: "developer", parts: [{ type: "text", text: "Be brief." }] },
      {
        type: "message",
        role: "user",
        parts: [
          { type: "text", text: "What is this?" },
          { type: "image", source: { kind: "data", mediaType: "image/png", data: "AAAA" }, detail: "low" },
          { type: "image", source: { kind: "id", id: "file_1" } },
          { type: "file", source: { kind: "data", mediaType: "application/pdf", data: "BBBB" }, name: "a.pdf" },
          { type: "file", source: { kind: "url", url: "https://a.example/b.pdf" } },
          { type: "foreign", dialect: "responses", value: { type: "input_hologram", x: 1 } }
        ]
      },
      { type: "reasoning", text: "hm", encrypted: "gAAAA" },
      {
        type: "message",
        role: "assistant",
        parts: [
          { type: "text", text: "A room." },
          { type: "refusal", text: "No." }
        ]
      },
      { type: "tool_call", id: "c0", name: "f", arguments: "{}" },
      { type: "tool_result", id: "c0", parts: [{ type: "text", text: "1" }] },
      { type: "tool_call", id: "c1", name: "run", arguments: "ls", custom: true },
      { type: "tool_result", id: "c1", parts: [{ type: "text", text: "a" }] },
      { type: "message", role: "user", parts: [{ type: "foreign", dialect: "responses", value: search }] }
    ])
  })

  it("has tools, a format and limits", () => {
    const search = { type: "web_search", filters: {} }
    const { format, maxTokens, parallelToolCalls, reasoning, sampling, stream, toolChoice, tools } = requestOf({
      input: "hi",
      tools: [
        { type: "function", name: "f", description: "F", parameters: { type: "object" }, strict: true },
        { type: "custom", name: "run", format: { type: "grammar", syntax: "lark", definition: "x" } },
        search
      ],
      tool_choice: { type: "custom", name: "run" },
      parallel_tool_calls: false,
      text: { format: { type: "json_schema", name: "a", schema: { type: "object" }, strict: true }, verbosity: "low" },
      reasoning: { effort: "low", summary: "auto" },
      max_output_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      stream: true
    })
    assert.deepStrictEqual(
      { format, maxTokens, parallelToolCalls, reasoning, sampling, stream, toolChoice, tools },
      {
        tools: [
          { type: "function", name: "f", description: "F", parameters: { type: "object" }, strict: true },
          { type: "custom", name: "run", format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } } },
          { type: "foreign", dialect: "responses", value: search }
        ],
        toolChoice: { type: "tool", name: "run", custom: true },
        parallelToolCalls: false,
        format: { type: "schema", name: "a", schema: { type: "object" }, strict: true },
        reasoning: { effort: "low", summary: "auto" },
        maxTokens: 50,
        sampling: { temperature: 0.5, topP: 0.9 },
        stream: true
      }
    )
  })

  it("continues earlier answers", () => {
    const body = { previous_response_id: "resp_1", input: [{ type: "item_reference", id: "msg_1" }] }
    assert.deepStrictEqual(needsOf(body), { previous: "resp_1", items: ["msg_1"] })
    const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: "A room." }] }
    const items = turnOf({ input: "What is this?" }, [message], new Map())
    const { input } = requestOf(body, { items, referenced: new Map([["msg_1", message]]) })
    const said: InputItem = { type: "message", role: "assistant", parts: [{ type: "text", text: "A room." }] }
    assert.deepStrictEqual(input, [
      { type: "message", role: "user", parts: [{ type: "text", text: "What is this?" }] },
      said,
      said
    ])
    assert.strictEqual(mistakeOf(body), "input.0.id")
  })

  it("names the member that is wrong", () => {
    for (const [param, body] of [
      ["model", { model: 1 }],
      ["model", { model: "" }],
      ["input", { input: null }],
      ["input", { input: [] }],
      ["input", { input: 1 }],
      ["input.1", { input: [{ role: "user", content: "hi" }, 1] }],
      ["input.0.content", { input: [{ role: "user" }] }],
      ["input.0.role", { input: [{ role: "robot", content: "hi" }] }],
      ["input.0.content.0.text", { input: [{ role: "user", content: [{ type: "input_text" }] }] }],
      ["input.0.content.0.image_url", { input: [{ role: "user", content: [{ type: "input_image" }] }] }],
      ["input.0.call_id", { input: [{ type: "function_call_output", output: "1" }] }],
      ["tools.0.name", { tools: [{ type: "function" }] }],
      ["tool_choice", { tool_choice: 1 }],
      ["text.format.schema", { text: { format: { type: "json_schema", name: "a" } } }],
      ["reasoning.effort", { reasoning: { effort: 1 } }],
      ["max_output_tokens", { max_output_tokens: 0 }],
      ["temperature", { temperature: "hot" }],
      ["background", { background: true, store: false }],
      ["conversation", { conversation: "conv_1" }],
      ["metadata", { metadata: [] }],
      ["include", { include: [1] }],
      ["stream", { stream: "yes" }]
    ] as const)
      assert.strictEqual(mistakeOf(body), param)
    assert.isUndefined(mistakeOf({ unknown: 1, metadata: null, tools: null, previous_response_id: null }))
  })

  it("of any JSON is a request or a mistake", () => {
    const json = fc.jsonValue({ maxDepth: 3 })
    const body = fc.dictionary(fc.constantFrom("model", "input", "tools", "text", "reasoning", "tool_choice"), json)
    fc.assert(
      fc.property(body, (value) => {
        const found = decodeResponses(JSON.parse(JSON.stringify(value)))
        assert.include(["request", "mistake"], found.type)
      })
    )
  })
})

describe("the items of a request", () => {
  const GENERATION = "01234567-89ab-cdef-0123-456789abcdef"

  it("have ids, and their texts as parts", () => {
    const id = (prefix: string, index: number) => `${prefix}0123456789abcdef0123456789abcdef1000${index}`
    assert.deepStrictEqual(inputItems(GENERATION, { input: "hi" }), [
      {
        id: id("msg_", 0),
        type: "message",
        role: "user",
        status: "completed",
        content: [{ type: "input_text", text: "hi" }]
      }
    ])
    assert.deepStrictEqual(
      inputItems(GENERATION, {
        input: [
          { type: "reasoning", id: "rs_1" },
          { type: "reasoning", id: "rs_1" },
          { type: "function_call_output", call_id: "c", output: "1" }
        ]
      }).map((item) => item["id"]),
      ["rs_1", id("rs_", 1), id("fco_", 2)]
    )
  })

  it("come in pages", () => {
    const items = Array.from({ length: 5 }, (_, index) => ({ id: `i${index}` }))
    assert.deepStrictEqual(itemPage(items, { limit: 2 }), {
      object: "list",
      data: [{ id: "i4" }, { id: "i3" }],
      first_id: "i4",
      last_id: "i3",
      has_more: true
    })
    assert.deepStrictEqual(itemPage(items, { order: "asc", after: "i2" })["data"], [{ id: "i3" }, { id: "i4" }])
    assert.deepStrictEqual(itemPage([]), { object: "list", data: [], first_id: null, last_id: null, has_more: false })
  })
})
