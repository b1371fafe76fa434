import { createOpenAI } from "@ai-sdk/openai"
import { assert, layer } from "@effect/vitest"
import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai"
import { ChatOpenAI } from "@langchain/openai"
import { Effect } from "effect"
import OpenAI from "openai"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"

// Responses with SDKs as they are.

const MODEL = "mock-1"
const SERVER = Running.with({ MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" })

/** What an SDK needs to know of the server. */
const access = Effect.gen(function* () {
  const { port, send } = yield* Running
  const { token } = yield* signUp(send)
  const key = yield* send("POST", "/keys", {
    token,
    json: { name: "SDK", scopes: ["chat", "messages:read", "messages:write"] }
  })
  return { baseURL: `http://127.0.0.1:${port}/v1`, apiKey: String(key.body["key"]) }
})

const weather = {
  type: "function",
  name: "weather",
  description: "The weather of a place.",
  parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
  strict: false
} as const

layer(SERVER, { timeout: "120 seconds", excludeTestServices: true })("responses with SDKs", (it) => {
  it.effect("OpenAI: one value, a structured one, and all that is done with it later", () =>
    Effect.gen(function* () {
      const client = new OpenAI(yield* access)
      yield* Effect.promise(async () => {
        const first = await client.responses.create({ model: MODEL, input: "What is a room?" })
        assert.strictEqual(first.status, "completed")
        assert.isAbove(first.output_text.length, 0)
        assert.strictEqual(first.usage?.output_tokens, 8)
        const second = await client.responses.create({
          model: MODEL,
          input: "And a house?",
          previous_response_id: first.id,
          text: { format: { type: "json_schema", name: "house", schema: { type: "object", properties: {} } } }
        })
        assert.strictEqual(typeof JSON.parse(second.output_text), "object")
        assert.strictEqual((await client.responses.retrieve(first.id)).output_text, first.output_text)
        const items = []
        for await (const item of client.responses.inputItems.list(second.id)) items.push(item)
        assert.strictEqual(items.length, 1)
        assert.isAbove((await client.responses.inputTokens.count({ model: MODEL, input: "Hello?" })).input_tokens, 0)
        await client.responses.delete(first.id)
        const gone = await client.responses.retrieve(first.id).catch((error: unknown) => error)
        assert.instanceOf(gone, OpenAI.NotFoundError)
      })
    })
  )

  it.effect("OpenAI: the helper for streams, with thoughts, calls and their results", () =>
    Effect.gen(function* () {
      const client = new OpenAI(yield* access)
      yield* Effect.promise(async () => {
        const stream = client.responses.stream({
          model: MODEL,
          input: "How is the weather?",
          tools: [weather],
          reasoning: { effort: "low", summary: "auto" }
        })
        const types = new Set<string>()
        for await (const event of stream) types.add(event.type)
        const response = await stream.finalResponse()
        assert.includeMembers(
          [...types],
          ["response.created", "response.reasoning_summary_text.delta", "response.function_call_arguments.done"]
        )
        const call = response.output.find((item) => item.type === "function_call")
        if (call === undefined) return assert.fail(JSON.stringify(response.output))
        assert.strictEqual(call.name, "weather")
        const answer = await client.responses.create({
          model: MODEL,
          previous_response_id: response.id,
          input: [{ type: "function_call_output", call_id: call.call_id, output: "It snows." }],
          tools: [weather]
        })
        assert.include(answer.output_text, "It snows.")
      })
    })
  )

  it.effect("OpenAI: the background, and a stream that is taken up again", () =>
    Effect.gen(function* () {
      const client = new OpenAI(yield* access)
      yield* Effect.promise(async () => {
        const { id } = await client.responses.create({ model: MODEL, input: "What is a room?", background: true })
        const whole = []
        for await (const event of await client.responses.retrieve(id, { stream: true })) whole.push(event)
        assert.strictEqual(whole.at(-1)?.type, "response.completed")
        const rest = []
        for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 4 }))
          rest.push(event)
        assert.deepStrictEqual(rest, whole.slice(5))
        const ended = await client.responses.cancel(id)
        assert.strictEqual(ended.status, "completed")
      })
    })
  )

  it.effect("OpenAI: failures", () =>
    Effect.gen(function* () {
      const client = new OpenAI({ ...(yield* access), maxRetries: 0 })
      yield* Effect.promise(async () => {
        const failed = await client.responses
          .create({ model: MODEL, input: '[[mock {"fault": "before"}]]' })
          .catch((error: unknown) => error)
        assert.instanceOf(failed, OpenAI.InternalServerError)
        const wrong = await client.responses.create({ model: "none", input: "a" }).catch((error: unknown) => error)
        assert.instanceOf(wrong, OpenAI.NotFoundError)
        const types: Array<string> = []
        const cut = await client.responses
          .create({ model: MODEL, input: '[[mock {"fault": "middle"}]]', stream: true })
          .then(async (stream) => {
            for await (const event of stream) types.push(event.type)
          })
          .catch((error: unknown) => error)
        assert.strictEqual(types.at(-1), "response.output_text.delta")
        assert.deepInclude(cut, { code: "model_failed" })
      })
    })
  )

  it.effect("AI SDK: streams, and several steps with a tool, with what is kept and without", () =>
    Effect.gen(function* () {
      const openai = createOpenAI(yield* access)
      yield* Effect.promise(async () => {
        const streamed = streamText({ model: openai(MODEL), prompt: "What is a room?" })
        let text = ""
        for await (const delta of streamed.textStream) text += delta
        assert.isAbove(text.length, 0)
        assert.strictEqual(await streamed.finishReason, "stop")
        for (const store of [true, false]) {
          const { steps, text: said } = await generateText({
            model: openai(MODEL),
            prompt: "How is the weather?",
            tools: {
              weather: tool({
                inputSchema: jsonSchema<{ place: string }>(weather.parameters),
                execute: () => "It snows."
              })
            },
            stopWhen: isStepCount(3),
            providerOptions: {
              openai: { store, forceReasoning: true, reasoningSummary: "auto", reasoningEffort: "low" }
            }
          })
          assert.strictEqual(steps.length, 2, JSON.stringify(steps))
          assert.isAbove(steps[0]?.reasoningText?.length ?? 0, 0)
          assert.include(said, "It snows.")
        }
      })
    })
  )

  it.effect("LangChain: one value and a stream", () =>
    Effect.gen(function* () {
      const { apiKey, baseURL } = yield* access
      const model = new ChatOpenAI({ model: MODEL, apiKey, configuration: { baseURL }, useResponsesApi: true })
      yield* Effect.promise(async () => {
        const answer = await model.invoke("What is a room?")
        assert.isAbove(answer.text.length, 0)
        let text = ""
        for await (const chunk of await model.stream("What is a room?")) text += chunk.text
        assert.strictEqual(text, answer.text)
      })
    })
  )
})
