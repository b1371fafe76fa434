import { createAnthropic } from "@ai-sdk/anthropic"
import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { assert, layer } from "@effect/vitest"
import { embedMany, generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai"
import { Effect } from "effect"
import { Keyed, PARAMETERS } from "./Keyed.ts"

// The AI SDK of Vercel, unchanged, by four of its providers. docs/sdks.md shows the same.

const models = Effect.map(Keyed, ({ key: apiKey, url }) => ({
  "OpenAI, chat": createOpenAI({ apiKey, baseURL: `${url}/v1` }).chat("mock-1"),
  "OpenAI, responses": createOpenAI({ apiKey, baseURL: `${url}/v1` }).responses("mock-1"),
  "OpenAI-compatible": createOpenAICompatible({
    name: "ours",
    apiKey,
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true
  })("mock-1"),
  Anthropic: createAnthropic({ apiKey, baseURL: `${url}/v1` })("mock-1")
}))

const weather = (called: Array<unknown>) =>
  tool({
    description: "The weather of a city.",
    inputSchema: jsonSchema<{ readonly city: string }>({ ...PARAMETERS, required: ["city"] }),
    execute: (input) => {
      called.push(input)
      return Promise.resolve("rain")
    }
  })

layer(Keyed.layer, { timeout: "120 seconds", excludeTestServices: true })("the AI SDK", (it) => {
  it.effect("generates and streams the same text, with usage", () =>
    Effect.gen(function* () {
      for (const [name, model] of Object.entries(yield* models)) {
        const whole = yield* Effect.promise(() => generateText({ model, prompt: "A room?", maxRetries: 0 }))
        const streamed = streamText({ model, prompt: "A room?", maxRetries: 0 })
        const text = yield* Effect.promise(() => Promise.resolve(streamed.text))
        assert.isAbove(text.length, 10, name)
        assert.strictEqual(text, whole.text, name)
        const usage = yield* Effect.promise(() => Promise.resolve(streamed.usage))
        assert.strictEqual(usage.outputTokens, 8, name)
        assert.strictEqual(whole.finishReason, "stop", name)
      }
    })
  )

  it.effect("calls tools, and answers with their results", () =>
    Effect.gen(function* () {
      for (const [name, model] of Object.entries(yield* models)) {
        const called: Array<unknown> = []
        const { text } = yield* Effect.promise(() =>
          generateText({
            model,
            prompt: "What is the weather in Paris?",
            tools: { get_weather: weather(called) },
            stopWhen: isStepCount(3),
            maxRetries: 0
          })
        )
        assert.deepStrictEqual(called, [{ city: "Paris" }], name)
        assert.include(text, "get_weather says: rain.", name)
      }
    })
  )

  it.effect("gets objects of a schema", () =>
    Effect.gen(function* () {
      const schema = jsonSchema<{ readonly name: string }>({
        type: "object",
        properties: { name: { type: "string" } },
        required: ["name"],
        additionalProperties: false
      })
      for (const [name, model] of Object.entries(yield* models)) {
        const { output } = yield* Effect.promise(() =>
          generateText({ model, prompt: "What is a room?", output: Output.object({ schema }), maxRetries: 0 })
        )
        assert.deepStrictEqual(output, { name: "room" }, name)
      }
    })
  )

  it.effect("embeds", () =>
    Effect.gen(function* () {
      const { key: apiKey, url } = yield* Keyed
      const model = createOpenAI({ apiKey, baseURL: `${url}/v1` }).embedding("mock-embedding")
      const { embeddings } = yield* Effect.promise(() => embedMany({ model, values: ["one", "two"] }))
      assert.strictEqual(embeddings.length, 2)
    })
  )
})
