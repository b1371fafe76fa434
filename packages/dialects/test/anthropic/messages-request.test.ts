import { assert, describe, it } from "@effect/vitest"
import { estimatedTokens, utf8Length } from "@llm-saas/dialects/anthropic/InputEstimate"
import { forwardedBody, messagesBody, refusalOf } from "@llm-saas/dialects/anthropic/MessagesBody"
import { decodeCount, decodeMessages } from "@llm-saas/dialects/anthropic/MessagesRequest"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, ModelRequest, Part, Source } from "@llm-saas/domain/ModelRequest"
import fc from "fast-check"

const OPTIONS = { model: "claude-sonnet-5", defaultMaxTokens: 4096 }

const decode = (body: JsonObject, headers?: Readonly<Record<string, string>>): ModelRequest => {
  const decoded = decodeMessages(body, headers)
  return decoded.type === "request" ? decoded.request : assert.fail(decoded.mistake.message)
}
const without = ({ origin: _, ...request }: ModelRequest) => request
const asked = (body: JsonObject): JsonObject => ({
  model: "m",
  max_tokens: 10,
  messages: [{ role: "user", content: "Hi" }],
  ...body
})
const input = (content: JsonObject | string | ReadonlyArray<JsonObject>, role = "user") =>
  decode(asked({ messages: [{ role, content }] })).input

describe("a body of POST /v1/messages", () => {
  it("is a request, in our words", () => {
    const body: JsonObject = {
      model: "claude",
      max_tokens: 1000,
      stream: true,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } }
          ]
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm", signature: "sig" },
            { type: "redacted_thinking", data: "enc" },
            { type: "text", text: "I look." },
            { type: "tool_use", id: "toolu_1", name: "look", input: { at: 1 } },
            { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }
          ]
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              is_error: true,
              content: [
                { type: "text", text: "dark" },
                { type: "image", source: { type: "url", url: "https://x/y.png" } }
              ]
            },
            { type: "text", text: "And now?" }
          ]
        }
      ],
      tools: [
        { name: "look", description: "Looks.", input_schema: { type: "object" }, cache_control: { type: "ephemeral" } },
        { type: "custom", name: "other", input_schema: {}, strict: true },
        { type: "web_search_20250305", name: "web_search" }
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      thinking: { type: "enabled", budget_tokens: 2048 },
      output_config: { format: { type: "json_schema", schema: { type: "object" } } },
      stop_sequences: ["END"],
      temperature: 1,
      top_p: 0.9,
      top_k: 5,
      metadata: { user_id: "u" },
      x_new: 1
    }
    const request = decode(body, {
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "a,b",
      authorization: "Bearer x"
    })
    assert.deepStrictEqual(request, {
      model: "claude",
      maxTokens: 1000,
      stream: true,
      input: [
        { type: "message", role: "system", parts: [{ type: "text", text: "Be brief." }] },
        {
          type: "message",
          role: "user",
          parts: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { kind: "data", mediaType: "image/png", data: "iVBO" } }
          ]
        },
        { type: "reasoning", text: "Hm", signature: "sig" },
        { type: "reasoning", text: "", encrypted: "enc" },
        { type: "message", role: "assistant", parts: [{ type: "text", text: "I look." }] },
        { type: "tool_call", id: "toolu_1", name: "look", arguments: '{"at":1}' },
        {
          type: "message",
          role: "assistant",
          parts: [
            {
              type: "foreign",
              dialect: "anthropic",
              value: { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }
            }
          ]
        },
        {
          type: "tool_result",
          id: "toolu_1",
          failed: true,
          parts: [
            { type: "text", text: "dark" },
            { type: "image", source: { kind: "url", url: "https://x/y.png" } }
          ]
        },
        { type: "message", role: "user", parts: [{ type: "text", text: "And now?" }] }
      ],
      tools: [
        { type: "function", name: "look", description: "Looks.", parameters: { type: "object" } },
        { type: "function", name: "other", parameters: {}, strict: true },
        { type: "foreign", dialect: "anthropic", value: { type: "web_search_20250305", name: "web_search" } }
      ],
      toolChoice: { type: "required" },
      parallelToolCalls: false,
      format: { type: "schema", name: "answer", schema: { type: "object" }, strict: true },
      sampling: { temperature: 1, topP: 0.9, topK: 5, stop: ["END"] },
      reasoning: { budgetTokens: 2048 },
      origin: { dialect: "anthropic", body, headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "a,b" } }
    })
  })

  it("may have documents, of which text is text", () => {
    const parts = (source: JsonObject, more: JsonObject = {}) => {
      const [item] = input([{ type: "document", source, ...more }])
      return item?.type === "message" ? item.parts : assert.fail("no message")
    }
    const file = (source: Source, name?: string): ReadonlyArray<Part> => [
      { type: "file", source, ...(name === undefined ? {} : { name }) }
    ]
    assert.deepStrictEqual(
      parts({ type: "base64", media_type: "application/pdf", data: "JVBE" }, { title: "a.pdf" }),
      file({ kind: "data", mediaType: "application/pdf", data: "JVBE" }, "a.pdf")
    )
    assert.deepStrictEqual(
      parts({ type: "url", url: "https://x/a.pdf" }),
      file({ kind: "url", url: "https://x/a.pdf" })
    )
    assert.deepStrictEqual(parts({ type: "file", file_id: "file_1" }), file({ kind: "id", id: "file_1" }))
    assert.deepStrictEqual(parts({ type: "text", media_type: "text/plain", data: "words" }), [
      { type: "text", text: "words" }
    ])
    assert.deepStrictEqual(parts({ type: "content", content: [{ type: "text", text: "words" }] }), [
      { type: "text", text: "words" }
    ])
    const foreign = { type: "x_new" }
    assert.deepStrictEqual(parts(foreign), [
      { type: "foreign", dialect: "anthropic", value: { type: "document", source: foreign } }
    ])
    assert.deepStrictEqual(
      input([{ type: "search_result", source: "s", title: "t", content: [{ type: "text", text: "found" }] }]),
      [{ type: "message", role: "user", parts: [{ type: "text", text: "found" }] }]
    )
  })

  it("says how to think, and how not", () => {
    const reasoning = (body: JsonObject) => decode(asked(body)).reasoning
    assert.isUndefined(reasoning({}))
    assert.deepStrictEqual(reasoning({ thinking: { type: "disabled" } }), { effort: "none" })
    assert.deepStrictEqual(
      reasoning({ thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "max" } }),
      { effort: "xhigh", summary: "omitted" }
    )
  })

  it("is told what is wrong with it, and where", () => {
    const mistakes: ReadonlyArray<readonly [JsonObject, string, string]> = [
      [{ model: "m", messages: [{ role: "user", content: "" }] }, "max_tokens", "max_tokens: Field required"],
      [{ max_tokens: 1, messages: [{ role: "user", content: "" }] }, "model", "model: Field required"],
      [{ model: "m", max_tokens: 1 }, "messages", "messages: Field required"],
      [asked({ messages: "Hi" }), "messages", "messages: Input should be a list"],
      [asked({ messages: [] }), "messages", "messages: at least one message is required"],
      [asked({ messages: ["Hi"] }), "messages.0", "messages.0: Input should be an object"],
      [
        asked({ messages: [{ role: "tool", content: "" }] }),
        "messages.0.role",
        "messages.0.role: Input should be 'user', 'assistant' or 'system'"
      ],
      [asked({ messages: [{ role: "user" }] }), "messages.0.content", "messages.0.content: Field required"],
      [
        asked({ messages: [{ role: "user", content: 1 }] }),
        "messages.0.content",
        "messages.0.content: Input should be a string or a list"
      ],
      [
        asked({ messages: [{ role: "user", content: [{ text: "a" }] }] }),
        "messages.0.content.0.type",
        "messages.0.content.0.type: Field required"
      ],
      [
        asked({ messages: [{ role: "user", content: [{ type: "tool_result" }] }] }),
        "messages.0.content.0.tool_use_id",
        "messages.0.content.0.tool_use_id: Field required"
      ],
      [asked({ max_tokens: "10" }), "max_tokens", "max_tokens: Input should be an integer of at least 0"],
      [asked({ stream: "yes" }), "stream", "stream: Input should be true or false"],
      [asked({ tools: [{ description: "x" }] }), "tools.0.name", "tools.0.name: Field required"],
      [asked({ tool_choice: "auto" }), "tool_choice", "tool_choice: Input should be an object"]
    ]
    for (const [body, param, message] of mistakes)
      assert.deepStrictEqual(decodeMessages(body), { type: "mistake", mistake: { param, message } })
  })

  it("needs no max_tokens to be counted", () => {
    assert.strictEqual(decodeCount(asked({ max_tokens: undefined })).type, "request")
  })

  it("is read without an exception, whatever it is", () => {
    const block = fc.record({
      type: fc.constantFrom("text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "x"),
      text: fc.jsonValue(),
      source: fc.jsonValue(),
      content: fc.jsonValue(),
      id: fc.jsonValue(),
      name: fc.jsonValue(),
      input: fc.jsonValue(),
      tool_use_id: fc.jsonValue()
    })
    const anything = fc.record({
      model: fc.jsonValue(),
      max_tokens: fc.jsonValue(),
      system: fc.jsonValue(),
      messages: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record({ role: fc.constantFrom("user", "assistant"), content: fc.oneof(fc.string(), fc.array(block)) })
        )
      ),
      tools: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
      tool_choice: fc.jsonValue(),
      thinking: fc.jsonValue(),
      output_config: fc.jsonValue()
    })
    fc.assert(
      fc.property(anything, (value) => {
        const body: JsonObject = JSON.parse(JSON.stringify(value))
        const decoded = decodeMessages(body)
        if (decoded.type === "request")
          assert.strictEqual(messagesBody(decoded.request, OPTIONS).body["model"], OPTIONS.model)
        assert.isAtLeast(estimatedTokens(body), 0)
      })
    )
  })

  it("may be nested as deeply as it likes", () => {
    const deep: JsonObject = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`)
    assert.strictEqual(
      decodeMessages(
        asked({ messages: [{ role: "assistant", content: [{ type: "tool_use", id: "a", name: "b", input: deep }] }] })
      ).type,
      "mistake"
    )
    assert.isAbove(estimatedTokens(asked({ tools: [deep] })), 100_000)
  })
})

describe("a body for a provider that speaks the same dialect", () => {
  it("is what the client sent, but for the model and the limit", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 9999 }), (more, max_tokens) => {
        const body: JsonObject = JSON.parse(JSON.stringify({ ...more, ...asked({}), max_tokens }))
        const { origin } = decode(body)
        assert.deepStrictEqual(forwardedBody(origin?.body ?? {}, OPTIONS), { ...body, model: OPTIONS.model })
        assert.deepStrictEqual(forwardedBody(origin?.body ?? {}, { ...OPTIONS, maxOutputTokens: 5000 }), {
          ...body,
          model: OPTIONS.model,
          max_tokens: Math.min(max_tokens, 5000)
        })
      })
    )
  })

  it("keeps a budget of thoughts within a lower limit", () => {
    const body = asked({ max_tokens: 32_000, thinking: { type: "enabled", budget_tokens: 31_999, display: "omitted" } })
    assert.deepStrictEqual(forwardedBody(body, { ...OPTIONS, maxOutputTokens: 8192 }), {
      ...body,
      model: OPTIONS.model,
      max_tokens: 8192,
      thinking: { type: "enabled", budget_tokens: 8191, display: "omitted" }
    })
  })
})

const text = fc.string({ minLength: 1, maxLength: 10 })
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text }),
  fc.record({
    type: fc.constant("image" as const),
    source: fc.oneof(
      fc.record({ kind: fc.constant("data" as const), mediaType: fc.constant("image/png"), data: fc.base64String() }),
      fc.record({ kind: fc.constant("url" as const), url: fc.webUrl() })
    )
  }),
  fc.record({
    type: fc.constant("file" as const),
    name: fc.constant("a.pdf"),
    source: fc.record({
      kind: fc.constant("data" as const),
      mediaType: fc.constant("application/pdf"),
      data: fc.base64String()
    })
  })
)
const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
const message = (
  role: "user" | "assistant" | "system",
  parts: fc.Arbitrary<ReadonlyArray<Part>>
): fc.Arbitrary<InputItem> => parts.map((parts) => ({ type: "message", role, parts }))

/** Turns as a chat has them: each side's parts together, results before words. */
const turn: fc.Arbitrary<ReadonlyArray<InputItem>> = fc
  .record({
    results: fc.array(
      fc.record({
        id: fc.stringMatching(/^[\w-]{1,8}$/u),
        parts: fc.array(part, { maxLength: 2 }),
        failed: fc.boolean()
      }),
      { maxLength: 2 }
    ),
    question: message("user", fc.array(part, { minLength: 1, maxLength: 3 })),
    thought: fc.option(fc.record({ text, signature: text })),
    answer: message(
      "assistant",
      fc.array(fc.record({ type: fc.constant("text" as const), text }), { minLength: 1, maxLength: 2 })
    ),
    calls: fc.array(
      fc.record({ id: fc.stringMatching(/^[\w-]{1,8}$/u), name: fc.constantFrom("look", "go"), input: object }),
      { maxLength: 2 }
    )
  })
  .map(({ answer, calls, question, results, thought }) => [
    ...results.map(({ failed, id, parts }): InputItem => ({
      type: "tool_result",
      id,
      parts,
      ...(failed ? { failed } : {})
    })),
    question,
    ...(thought === null ? [] : [{ type: "reasoning" as const, ...thought }]),
    answer,
    ...calls.map(({ id, input, name }): InputItem => ({
      type: "tool_call",
      id,
      name,
      arguments: JSON.stringify(input)
    }))
  ])

const requests: fc.Arbitrary<ModelRequest> = fc
  .record({
    system: fc.option(text),
    turns: fc.array(turn, { minLength: 1, maxLength: 3 }),
    maxTokens: fc.integer({ min: 1, max: 9999 }),
    stream: fc.boolean(),
    schema: fc.option(object),
    parallel: fc.boolean(),
    choice: fc.constantFrom("auto" as const, "required" as const, "none" as const),
    sampling: fc.record(
      {
        temperature: fc.double({ min: 0, max: 1, noNaN: true }).map((each) => each + 0),
        topK: fc.nat(),
        stop: fc.array(fc.stringMatching(/^[a-z]{1,4}$/u), { minLength: 1 })
      },
      { requiredKeys: ["topK"] }
    )
  })
  .map(({ choice, maxTokens, parallel, sampling, schema, stream, system, turns }) => ({
    model: OPTIONS.model,
    input: [
      ...(system === null
        ? []
        : [{ type: "message" as const, role: "system" as const, parts: [{ type: "text" as const, text: system }] }]),
      ...turns.flat()
    ],
    tools: [{ type: "function", name: "look", description: "Looks.", parameters: { type: "object" } }],
    toolChoice: { type: choice },
    ...(parallel || choice === "none" ? {} : { parallelToolCalls: false }),
    ...(schema === null
      ? {}
      : {
          format: { type: "schema", name: "answer", schema: JSON.parse(JSON.stringify(schema)), strict: true } as const
        }),
    sampling,
    maxTokens,
    stream
  }))

describe("a request of another dialect, for Anthropic's", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { body, dropped } = messagesBody(request, OPTIONS)
        assert.deepStrictEqual(dropped, request.format === undefined ? [] : ["schema name"])
        assert.deepStrictEqual(without(decode(body)), request)
      })
    )
  })

  it("has turns that alternate, and results first", () => {
    const { body, dropped } = messagesBody(
      {
        model: "m",
        stream: false,
        input: [
          { type: "message", role: "system", parts: [{ type: "text", text: "One." }] },
          { type: "message", role: "user", name: "ann", parts: [{ type: "text", text: "a" }] },
          { type: "message", role: "user", parts: [{ type: "text", text: "" }] },
          { type: "tool_call", id: "call|1", name: "look", arguments: "no json" },
          { type: "tool_call", id: "call_2", name: "patch", arguments: "text", custom: true },
          { type: "message", role: "user", parts: [{ type: "text", text: "b" }] },
          { type: "tool_result", id: "call|1", parts: [{ type: "text", text: "r" }] },
          { type: "message", role: "developer", parts: [{ type: "text", text: "Two." }] }
        ]
      },
      OPTIONS
    )
    assert.deepStrictEqual(body, {
      model: "claude-sonnet-5",
      max_tokens: 4096,
      system: "One.\n\nTwo.",
      messages: [
        { role: "user", content: [{ type: "text", text: "a" }] },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "call_1", name: "look", input: { INVALID_JSON: "no json" } },
            { type: "tool_use", id: "call_2", name: "patch", input: { input: "text" } }
          ]
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "call_1", content: "r" },
            { type: "text", text: "b" }
          ]
        }
      ],
      stream: false,
      // Anthropic refuses calls of tools that are not defined.
      tools: [
        { name: "look", input_schema: { type: "object" } },
        { name: "patch", input_schema: { type: "object" } }
      ],
      tool_choice: { type: "none" }
    })
    assert.deepStrictEqual(dropped.toSorted(), ["names of participants", "place of system messages"])
  })

  const question: InputItem = { type: "message", role: "user", parts: [{ type: "text", text: "Hi" }] }
  const encoded = (request: Partial<ModelRequest>, options = {}) =>
    messagesBody({ model: "m", stream: true, input: [question], ...request }, { ...OPTIONS, ...options })

  it("drops what has no place, and says so", () => {
    const dropped = (request: Partial<ModelRequest>, options = {}) => encoded(request, options).dropped
    const part = (part: Part) => dropped({ input: [{ type: "message", role: "user", parts: [part] }] })
    assert.deepStrictEqual(part({ type: "audio", data: "", format: "wav" }), ["audio"])
    assert.deepStrictEqual(part({ type: "file", source: { kind: "id", id: "file-1" } }), ["file ids"])
    assert.deepStrictEqual(part({ type: "image", source: { kind: "id", id: "file-1" } }), ["file ids"])
    assert.deepStrictEqual(part({ type: "file", source: { kind: "data", mediaType: "video/mp4", data: "" } }), [
      "files of other types"
    ])
    assert.deepStrictEqual(part({ type: "image", detail: "low", source: { kind: "url", url: "https://x" } }), [
      "image detail"
    ])
    assert.deepStrictEqual(part({ type: "foreign", dialect: "chat", value: {} }), ["parts of another dialect"])
    assert.deepStrictEqual(dropped({ input: [question, { type: "reasoning", text: "Hm" }] }), ["unsigned thoughts"])
    assert.deepStrictEqual(dropped({ tools: [{ type: "foreign", dialect: "responses", value: {} }] }), [
      "tools of another dialect"
    ])
    const tools = [{ type: "custom", name: "patch", format: { type: "grammar" } }] as const
    assert.deepStrictEqual(dropped({ tools }), ["grammar of custom tools"])
    assert.deepStrictEqual(
      dropped({
        tools: [{ type: "function", name: "a" }],
        toolChoice: { type: "foreign", dialect: "chat", value: {} }
      }),
      ["tool choice of another dialect"]
    )
    assert.deepStrictEqual(
      dropped({
        sampling: {
          seed: 1,
          frequencyPenalty: 1,
          presencePenalty: 1,
          logprobs: true,
          temperature: 1.5,
          topP: 0.5,
          stop: [" "]
        }
      }).toSorted(),
      ["frequency_penalty", "logprobs", "presence_penalty", "seed", "stop", "temperature", "top_p"]
    )
    assert.deepStrictEqual(
      dropped({ reasoning: { effort: "high" }, sampling: { temperature: 0, topP: 0.5, topK: 3 } }),
      ["temperature", "top_p", "top_k"]
    )
    assert.deepStrictEqual(dropped({ reasoning: { budgetTokens: 5000 }, maxTokens: 500 }), ["reasoning"])
    assert.deepStrictEqual(
      dropped({
        reasoning: { effort: "low" },
        tools: [{ type: "function", name: "a" }],
        toolChoice: { type: "required" }
      }),
      ["reasoning"]
    )
    assert.deepStrictEqual(dropped({ format: { type: "json" } }), ["JSON mode"])
    assert.strictEqual(encoded({ sampling: { temperature: 1.5 } }).body["temperature"], 1)
    assert.isString(refusalOf({ model: "m", stream: true, input: [], sampling: { choices: 2 } }))
    assert.isUndefined(refusalOf({ model: "m", stream: true, input: [], sampling: { choices: 1 } }))
  })

  it("thinks by effort or by budget, as the model takes it", () => {
    const thinking = (model: string, request: Partial<ModelRequest>) => {
      const { body } = encoded({ maxTokens: 20_000, ...request }, { model })
      return [body["thinking"], body["output_config"]]
    }
    const high = { reasoning: { effort: "high" } }
    for (const model of [
      "claude-sonnet-5",
      "claude-opus-4-6",
      "claude-mythos-preview",
      "anthropic.claude-haiku-5-5-v1:0"
    ])
      assert.deepStrictEqual(thinking(model, high), [{ type: "adaptive" }, { effort: "high" }], model)
    for (const model of [
      "claude-3-7-sonnet-latest",
      "claude-opus-4-20250514",
      "claude-sonnet-4-5-20250929",
      "claude-sonnet-4@20250514",
      "claude-opus-4-1",
      "kimi-k2",
      "claude-2.1"
    ])
      assert.deepStrictEqual(thinking(model, high), [{ type: "enabled", budget_tokens: 16_000 }, undefined], model)
    assert.deepStrictEqual(thinking("claude-sonnet-5", { reasoning: { budgetTokens: 3000, summary: "auto" } }), [
      { type: "enabled", budget_tokens: 3000, display: "summarized" },
      undefined
    ])
    assert.deepStrictEqual(thinking("claude-sonnet-5", { reasoning: { effort: "none" } }), [
      { type: "disabled" },
      undefined
    ])
  })

  it("has a limit, at most the target's", () => {
    assert.strictEqual(encoded({}).body["max_tokens"], 4096)
    assert.strictEqual(encoded({ maxTokens: 100 }).body["max_tokens"], 100)
    assert.strictEqual(encoded({ maxTokens: 9000 }, { maxOutputTokens: 8000 }).body["max_tokens"], 8000)
  })

  it("is a question also if it is instructions alone", () => {
    const { body } = encoded({
      input: [{ type: "message", role: "system", parts: [{ type: "text", text: "Say hello." }] }]
    })
    assert.deepStrictEqual([body["system"], body["messages"]], [undefined, [{ role: "user", content: "Say hello." }]])
  })
})

describe("an estimate of a request's tokens", () => {
  it("knows the length of a text in UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.strictEqual(utf8Length(text), new TextEncoder().encode(text).length)
      })
    )
  })

  it("is the larger, the more is sent, and never zero", () => {
    const of = (content: JsonObject | string | ReadonlyArray<JsonObject>, more: JsonObject = {}) =>
      estimatedTokens(asked({ messages: [{ role: "user", content }], ...more }))
    assert.isAbove(of(""), 0)
    assert.strictEqual(of("x".repeat(3500)), of("") + 1000)
    assert.isAbove(of("a", { system: "More words." }), of("a"))
    assert.isAbove(
      of("a", {
        tools: [{ name: "look", input_schema: { type: "object", properties: { where: { type: "string" } } } }]
      }),
      of("a") + 10
    )
    const image = of([
      { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(1_000_000) } }
    ])
    assert.isBelow(image, 2000)
    const pdf = of([
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "A".repeat(200_000) } }
    ])
    assert.isAbove(pdf, 7000)
  })

  it("takes linear time for a text that stalls tokenizers", () => {
    const before = performance.now()
    estimatedTokens(asked({ messages: [{ role: "user", content: "a".repeat(5_000_000) }] }))
    assert.isBelow(performance.now() - before, 500)
  })
})
