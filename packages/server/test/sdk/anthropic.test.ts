import Anthropic from "@anthropic-ai/sdk"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Keyed, PARAMETERS, PIXEL } from "./Keyed.ts"

// The official SDK of Anthropic for Node, unchanged: only `baseURL` and `apiKey` are set. docs/sdks.md shows the same.

const using = (use: (anthropic: Anthropic) => Promise<void>) =>
  Effect.flatMap(Keyed, ({ key, url }) =>
    Effect.promise(() => use(new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 })))
  )

const model = "mock-1"
const max_tokens = 100
const weather = { name: "get_weather", input_schema: { ...PARAMETERS, required: ["city"] } }
const question = { role: "user", content: "What is the weather in Paris?" } as const

layer(Keyed.layer, { timeout: "120 seconds", excludeTestServices: true })("the Anthropic SDK", (it) => {
  it.effect("messages: whole, and streamed with the usage at the start", () =>
    using(async (anthropic) => {
      const whole = await anthropic.messages.create({
        model,
        max_tokens,
        system: "Be brief.",
        messages: [{ role: "user", content: "A room?" }]
      })
      const [block] = whole.content
      assert.strictEqual(whole.stop_reason, "end_turn")
      assert.strictEqual(whole.usage.output_tokens, 8)
      assert.isAbove(whole.usage.input_tokens, 0)
      const stream = anthropic.messages.stream({
        model,
        max_tokens,
        system: "Be brief.",
        messages: [{ role: "user", content: "A room?" }]
      })
      let text = ""
      let first = 0
      stream.on("text", (delta) => (text += delta))
      stream.on("streamEvent", (event) => {
        if (event.type === "message_start") first = event.message.usage.input_tokens
      })
      const final = await stream.finalMessage()
      assert.strictEqual(text, block?.type === "text" ? block.text : "")
      assert.isAbove(first, 0)
      assert.deepInclude(final, { stop_reason: "end_turn", role: "assistant" })
      assert.strictEqual(final.usage.output_tokens, 8)
    })
  )

  it.effect("messages: a tool is called, streamed too, and its result answered", () =>
    using(async (anthropic) => {
      const first = await anthropic.messages.create({ model, max_tokens, tools: [weather], messages: [question] })
      assert.strictEqual(first.stop_reason, "tool_use")
      const use = first.content.find((block) => block.type === "tool_use") ?? assert.fail("no call")
      assert.deepInclude(use, { name: "get_weather", input: { city: "Paris" } })
      const second = await anthropic.messages.create({
        model,
        max_tokens,
        tools: [weather],
        messages: [
          question,
          { role: "assistant", content: first.content },
          { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "18 °C" }] }
        ]
      })
      const [said] = second.content
      assert.include(said?.type === "text" ? said.text : "", "get_weather says: 18 °C.")
      const streamed = await anthropic.messages
        .stream({ model, max_tokens, tools: [weather], tool_choice: { type: "any" }, messages: [question] })
        .finalMessage()
      assert.deepInclude(streamed.content.at(-1), { type: "tool_use", input: { city: "Paris" } })
    })
  )

  it.effect("messages: thinking with a signature, images, stop sequences, a limit", () =>
    using(async (anthropic) => {
      const thinking = await anthropic.messages
        .stream({
          model,
          max_tokens: 2000,
          thinking: { type: "enabled", budget_tokens: 1024 },
          messages: [{ role: "user", content: "What is a room?" }]
        })
        .finalMessage()
      const [thought, text] = thinking.content
      assert.deepInclude(thought, { type: "thinking", thinking: "The question is about room." })
      assert.isNotEmpty(thought?.type === "thinking" ? thought.signature : "")
      assert.strictEqual(text?.type, "text")
      const seen = await anthropic.messages.create({
        model,
        max_tokens,
        messages: [
          {
            role: "user",
            content: [
              { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
              { type: "text", text: "What is this?" }
            ]
          }
        ]
      })
      const [answer] = seen.content
      const words = answer?.type === "text" ? answer.text : ""
      assert.match(words, /I see an image \(image\/png, \d+ bytes\)/u)
      const stopped = await anthropic.messages.create({
        model,
        max_tokens,
        stop_sequences: ["never", "then"],
        messages: [{ role: "user", content: "A room?" }]
      })
      assert.deepInclude(stopped, { stop_reason: "stop_sequence", stop_sequence: "then" })
      const cut = await anthropic.messages.create({ model, max_tokens: 2, messages: [question] })
      assert.strictEqual(cut.stop_reason, "max_tokens")
    })
  )

  it.effect("counts tokens, and lists models", () =>
    using(async (anthropic) => {
      const counted = await anthropic.messages.countTokens({ model, messages: [question], tools: [weather] })
      assert.isAbove(counted.input_tokens, 10)
      const ids: Array<string> = []
      for await (const each of anthropic.models.list()) ids.push(each.id)
      assert.deepStrictEqual(ids, ["mock-1"])
    })
  )

  it.effect("errors: are the SDK's own classes", () =>
    Effect.gen(function* () {
      const { key, url } = yield* Keyed
      const failed = (ask: Promise<unknown>) =>
        Effect.promise(() =>
          ask.then(
            () => assert.fail("it should have failed"),
            (error: unknown) => (error instanceof Anthropic.APIError ? error : assert.fail(String(error)))
          )
        )
      const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 })
      const wrong = new Anthropic({ apiKey: "sk-wrong", baseURL: url })
      const ask = { model, max_tokens, messages: [question] }
      assert.instanceOf(yield* failed(wrong.messages.create(ask)), Anthropic.AuthenticationError)
      const unknown = yield* failed(anthropic.messages.create({ ...ask, model: "nobody" }))
      assert.instanceOf(unknown, Anthropic.NotFoundError)
      assert.isString(unknown.requestID)
      assert.instanceOf(yield* failed(anthropic.messages.create({ ...ask, messages: [] })), Anthropic.BadRequestError)
      const content = '[[mock {"fault":"middle"}]]'
      const stream = anthropic.messages.stream({ ...ask, messages: [{ role: "user", content }] })
      const cut = yield* failed(stream.finalMessage())
      assert.include(cut.message, "api_error")
    })
  )
})
