import { assert, layer } from "@effect/vitest"
import { ChatAnthropic } from "@langchain/anthropic"
import { HumanMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai"
import { Effect } from "effect"
import { Keyed, PARAMETERS } from "./Keyed.ts"

// LangChain for Node, unchanged. docs/sdks.md shows the same.

const models = Effect.map(Keyed, ({ key: apiKey, url }) => ({
  ChatOpenAI: new ChatOpenAI({ model: "mock-1", apiKey, configuration: { baseURL: `${url}/v1` }, maxRetries: 0 }),
  ChatAnthropic: new ChatAnthropic({ model: "mock-1", apiKey, anthropicApiUrl: url, maxRetries: 0 })
}))

const weather = tool(() => "rain", { name: "get_weather", description: "The weather of a city.", schema: PARAMETERS })

layer(Keyed.layer, { timeout: "120 seconds", excludeTestServices: true })("LangChain", (it) => {
  it.effect("invokes and streams the same text", () =>
    Effect.gen(function* () {
      for (const [name, model] of Object.entries(yield* models)) {
        const whole = yield* Effect.promise(() => model.invoke("A room?"))
        const text = yield* Effect.promise(async () => {
          let said = ""
          for await (const chunk of await model.stream("A room?")) said += chunk.text
          return said
        })
        assert.isAbove(text.length, 10, name)
        assert.strictEqual(text, whole.text, name)
        assert.deepInclude(Object(whole.usage_metadata), { output_tokens: 8 }, name)
      }
    })
  )

  it.effect("calls tools, and answers with their results", () =>
    Effect.gen(function* () {
      for (const [name, model] of Object.entries(yield* models)) {
        const bound = model.bindTools([weather])
        const question = new HumanMessage("What is the weather in Paris?")
        const called = yield* Effect.promise(() => bound.invoke([question]))
        const [call] = called.tool_calls ?? []
        assert.deepInclude(call, { name: "get_weather", args: { city: "Paris" } }, name)
        const result = new ToolMessage({ content: "rain", tool_call_id: call?.id ?? "" })
        const { text } = yield* Effect.promise(() => bound.invoke([question, called, result]))
        assert.include(text, "get_weather says: rain.", name)
      }
    })
  )

  it.effect("gets objects of a schema, and vectors", () =>
    Effect.gen(function* () {
      const { key: apiKey, url } = yield* Keyed
      const schema = { title: "thing", type: "object", properties: { name: { type: "string" } }, required: ["name"] }
      for (const [name, model] of Object.entries(yield* models)) {
        const found: unknown = yield* Effect.promise(() => model.withStructuredOutput(schema).invoke("What is a room?"))
        assert.deepStrictEqual(found, { name: "room" }, name)
      }
      const embeddings = new OpenAIEmbeddings({
        model: "mock-embedding",
        apiKey,
        configuration: { baseURL: `${url}/v1` }
      })
      assert.strictEqual((yield* Effect.promise(() => embeddings.embedQuery("one"))).length, 256)
    })
  )
})
