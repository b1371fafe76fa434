import { assert, describe, it } from "@effect/vitest"
import { encodeChat } from "@llm-saas/dialects/chat/ChatBody"
import { DROPPED } from "@llm-saas/dialects/chat/Dropped"
import { forwardChat } from "@llm-saas/dialects/chat/ChatForward"
import { decodeChat } from "@llm-saas/dialects/chat/ChatRequest"
import type { Json, JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, ModelRequest, Part } from "@llm-saas/domain/ModelRequest"
import * as fc from "fast-check"

const requestOf = (body: JsonObject): ModelRequest => {
  const decoded = decodeChat(body)
  return decoded.type === "request" ? decoded.request : assert.fail(JSON.stringify(decoded))
}
const mistakeOf = (body: JsonObject): string => {
  const decoded = decodeChat(body)
  return decoded.type === "mistake" ? decoded.mistake.param : assert.fail(JSON.stringify(decoded))
}
const hello = [{ role: "user", content: "Hello?" }]
const ask = (more: JsonObject): JsonObject => ({ model: "m", messages: hello, ...more })

const OURS = { max_tokens: undefined, max_completion_tokens: undefined, stream_options: undefined }

describe("a body of chat completions", () => {
  it("is read with everything that it says", () => {
    const body: JsonObject = {
      model: "m",
      messages: [
        { role: "developer", content: "Be short." },
        {
          role: "user",
          name: "ada",
          content: [
            { type: "text", text: "Look:" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } },
            { type: "image_url", image_url: { url: "https://example.com/a.png" } },
            { type: "input_audio", input_audio: { data: "BBBB", format: "wav" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,CCCC" } },
            { type: "file", file: { file_id: "file-1" } },
            { type: "hologram", payload: 1 }
          ]
        },
        {
          role: "assistant",
          content: null,
          reasoning_content: "hm",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "look", arguments: '{"a":1}' } },
            { id: "c2", type: "custom", custom: { name: "run", input: "ls" } }
          ]
        },
        { role: "tool", tool_call_id: "c1", content: "seen" },
        { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "done" }] },
        { role: "assistant", content: null, function_call: { name: "old", arguments: "{}" } },
        { role: "function", name: "old", content: "older" },
        { role: "oracle", content: "?" }
      ],
      tools: [
        { type: "function", function: { name: "look", parameters: { type: "object" }, strict: true } },
        { type: "custom", custom: { name: "run", format: { type: "text" } } },
        { type: "web_search" }
      ],
      tool_choice: { type: "function", function: { name: "look" } },
      parallel_tool_calls: false,
      response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" }, strict: true } },
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      stop: "END",
      temperature: 0.5,
      max_tokens: 7,
      max_completion_tokens: 9,
      reasoning_effort: "low",
      stream: true,
      unknown: { a: [1] }
    }
    const request = requestOf(body)
    assert.strictEqual(request.origin?.body, body)
    assert.deepStrictEqual(
      request.input.map((item) => (item.type === "message" ? `${item.role} ${item.parts.length}` : item.type)),
      [
        "developer 1",
        "user 7",
        "reasoning",
        "tool_call",
        "tool_call",
        "tool_result",
        "tool_result",
        "tool_call",
        "tool_result",
        "user 1"
      ]
    )
    const [, user] = request.input
    assert.deepStrictEqual(user?.type === "message" ? user.parts.map(({ type }) => type) : [], [
      "text",
      "image",
      "image",
      "audio",
      "file",
      "file",
      "foreign"
    ])
    const calls = request.input.filter((item) => item.type === "tool_call")
    const results = request.input.filter((item) => item.type === "tool_result")
    assert.deepStrictEqual(
      calls.map(({ id }) => id),
      results.map(({ id }) => id)
    )
    assert.deepStrictEqual(
      request.tools?.map(({ type }) => type),
      ["function", "custom", "foreign"]
    )
    assert.deepInclude(request, {
      toolChoice: { type: "tool", name: "look" },
      parallelToolCalls: false,
      maxTokens: 9,
      stream: true,
      format: { type: "schema", name: "s", schema: { type: "object" }, strict: true }
    })
    assert.deepInclude(request.sampling, {
      choices: 2,
      logprobs: true,
      topLogprobs: 3,
      stop: ["END"],
      temperature: 0.5
    })
    assert.deepInclude(request.reasoning, { effort: "low" })
  })

  it("that is one of the Responses API says so", () => {
    assert.deepStrictEqual(decodeChat({ model: "m", input: "Hello?" }), { type: "responses" })
    assert.strictEqual(decodeChat({ ...ask({}), input: "Hello?" }).type, "request")
  })

  it("that is wrong names the member", () => {
    const cases: ReadonlyArray<readonly [JsonObject, string]> = [
      [{}, "model"],
      [{ model: "m" }, "messages"],
      [{ model: "m", messages: [] }, "messages"],
      [{ model: "m", messages: "Hello?" }, "messages"],
      [{ model: "m", messages: [1] }, "messages.0"],
      [{ model: "m", messages: [{}] }, "messages.0.role"],
      [{ model: "m", messages: [{ role: "user" }] }, "messages.0.content"],
      [{ model: "m", messages: [{ role: "user", content: 7 }] }, "messages.0.content"],
      [{ model: "m", messages: [{ role: "user", content: [7] }] }, "messages.0.content.0"],
      [{ model: "m", messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages.0.content.0.text"],
      [{ model: "m", messages: [{ role: "tool", content: "x" }] }, "messages.0.tool_call_id"],
      [{ model: "", messages: hello }, "model"],
      [{ model: 7, messages: hello }, "model"],
      [ask({ temperature: "hot" }), "temperature"],
      [ask({ stream: "yes" }), "stream"],
      [ask({ n: 0 }), "n"],
      [ask({ n: 1000 }), "n"],
      [ask({ max_tokens: 0 }), "max_tokens"],
      [ask({ stop: [1] }), "stop"],
      [ask({ tools: {} }), "tools"],
      [ask({ tools: [{ type: "function" }] }), "tools.0.function"],
      [ask({ tools: [{ type: "function", function: {} }] }), "tools.0.function.name"],
      [ask({ response_format: { type: "json_schema" } }), "response_format.json_schema"],
      [ask({ tool_choice: 7 }), "tool_choice"],
      [ask({ stream_options: { include_usage: 1 } }), "stream_options.include_usage"]
    ]
    for (const [body, param] of cases) assert.strictEqual(mistakeOf(body), param, JSON.stringify(body))
  })

  it("may be any object, and is never an exception", () => {
    const names = fc.constantFrom("model", "messages", "tools", "stop", "tool_choice", "response_format", "stream", "x")
    const json = fc.jsonValue({ maxDepth: 4 }).map((value): Json => JSON.parse(JSON.stringify(value)))
    fc.assert(
      fc.property(fc.dictionary(names, json), json, (body, value) => {
        const bodies = [body, ask({ messages: [value] }), ask({ messages: [{ role: "user", content: value }] })]
        const types = bodies.map((each) => decodeChat(each).type)
        assert.isEmpty(types.filter((type) => !["request", "responses", "mistake"].includes(type)))
      })
    )
  })

  it("goes on as it is, but for the model, the limit and the usage", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), fc.nat(), (more, stream, asked) => {
        const body: JsonObject = JSON.parse(JSON.stringify({ ...more, ...OURS, model: "m", messages: hello, stream }))
        const forwarding = { model: "upstream", mostTokens: 100, limit: "max_tokens", usage: true } as const
        const usage = stream ? { stream_options: { include_usage: true } } : {}
        assert.deepStrictEqual(forwardChat(body, forwarding), { ...body, ...usage, model: "upstream", max_tokens: 100 })
        assert.deepStrictEqual(
          forwardChat(
            { ...body, max_completion_tokens: asked, stream_options: { include_obfuscation: false } },
            forwarding
          ),
          {
            ...body,
            model: "upstream",
            max_completion_tokens: Math.min(asked, 100),
            stream_options: { include_obfuscation: false, ...(stream ? { include_usage: true } : {}) }
          }
        )
        assert.deepStrictEqual(forwardChat(body, { ...forwarding, mostTokens: undefined, usage: false }), {
          ...body,
          model: "upstream"
        })
      })
    )
  })
})

const word = fc.string({ minLength: 1 })
const texts: fc.Arbitrary<Part> = fc.record({ type: fc.constant("text" as const), text: word })
const base64 = fc.base64String({ minLength: 4 })
const userParts: fc.Arbitrary<Part> = fc.oneof(
  texts,
  fc.record({
    type: fc.constant("image" as const),
    source: fc.oneof(
      fc.record({ kind: fc.constant("url" as const), url: fc.webUrl() }),
      fc.record({ kind: fc.constant("data" as const), mediaType: fc.constant("image/png"), data: base64 })
    )
  }),
  fc.record({ type: fc.constant("audio" as const), data: base64, format: fc.constantFrom("wav", "mp3") }),
  fc.record({
    type: fc.constant("file" as const),
    source: fc.record({ kind: fc.constant("id" as const), id: word })
  })
)

/** Whole turns, as a conversation has them. */
const turns: fc.Arbitrary<ReadonlyArray<InputItem>> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("system" as const, "developer" as const, "user" as const),
      fc.array(userParts, { minLength: 1 })
    )
    .map(([role, parts]) => [{ type: "message" as const, role, parts }]),
  fc
    .tuple(fc.option(word), fc.array(texts, { maxLength: 2 }), fc.array(fc.tuple(word, fc.json(), fc.boolean(), word)))
    .filter(([, parts, calls]) => parts.length + calls.length > 0)
    .map(([thought, parts, calls]) => [
      ...(thought === null ? [] : [{ type: "reasoning" as const, text: thought }]),
      ...(parts.length === 0 ? [] : [{ type: "message" as const, role: "assistant" as const, parts }]),
      ...calls.map(([name, json, custom], index) => ({
        type: "tool_call" as const,
        id: `c${index}`,
        name,
        arguments: json,
        ...(custom ? { custom } : {})
      })),
      ...calls.map(([, , , said], index) => ({
        type: "tool_result" as const,
        id: `c${index}`,
        parts: [{ type: "text" as const, text: said }]
      }))
    ])
)

describe("a request without a body of its own", () => {
  it("is the same after it was written and read", () => {
    fc.assert(
      fc.property(fc.array(turns, { minLength: 1 }), fc.boolean(), (all, stream) => {
        const input = all.flat()
        const { body, dropped } = encodeChat({ model: "m", input, stream })
        assert.deepStrictEqual([...dropped], [])
        assert.deepStrictEqual(requestOf(body).input, input)
        assert.strictEqual(requestOf(body).stream, stream)
      })
    )
  })

  it("keeps tools, format and sampling", () => {
    const request: ModelRequest = {
      model: "m",
      input: [{ type: "message", role: "user", parts: [{ type: "text", text: "Hello?" }] }],
      tools: [
        { type: "function", name: "f", description: "d", parameters: { type: "object" }, strict: true },
        { type: "custom", name: "c", format: { type: "text" } }
      ],
      toolChoice: { type: "tool", name: "c", custom: true },
      parallelToolCalls: true,
      format: { type: "json" },
      maxTokens: 5,
      stream: false
    }
    const { body } = encodeChat(request)
    assert.deepStrictEqual(requestOf(body), { ...request, origin: { dialect: "chat", body } })
  })

  it("says what Chat Completions cannot say", () => {
    const { body, dropped } = encodeChat({
      model: "m",
      input: [
        { type: "reasoning", text: "hm", signature: "s" },
        { type: "tool_call", id: "c", name: "f", arguments: "{}" },
        {
          type: "tool_result",
          id: "c",
          failed: true,
          parts: [
            { type: "text", text: "broken" },
            { type: "image", source: { kind: "url", url: "https://example.com/a.png" } },
            { type: "foreign", dialect: "anthropic", value: {} },
            { type: "image", source: { kind: "id", id: "file_1" } }
          ]
        },
        { type: "reasoning", text: "", encrypted: "e" }
      ],
      tools: [
        { type: "function", name: "f" },
        { type: "foreign", dialect: "anthropic", value: {} }
      ],
      toolChoice: { type: "foreign", dialect: "anthropic", value: {} },
      sampling: { topK: 5 },
      reasoning: { budgetTokens: 5000, summary: "auto" },
      stream: true
    })
    assert.deepStrictEqual([...dropped].sort(), [...DROPPED].sort())
    assert.deepInclude(body, { reasoning_effort: "medium" })
    assert.deepStrictEqual(body["messages"], [
      {
        role: "assistant",
        reasoning_content: "hm",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }]
      },
      { role: "tool", tool_call_id: "c", content: "broken" },
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }
    ])
  })
})
