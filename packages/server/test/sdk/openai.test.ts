import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import OpenAI from "openai"
import { Keyed, PARAMETERS, PIXEL } from "./Keyed.ts"

// The official SDK of OpenAI for Node, unchanged: only `baseURL` and `apiKey` are set. docs/sdks.md shows the same.

const client = Effect.map(Keyed, ({ key, url }) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 }))

const using = (use: (openai: OpenAI) => Promise<void>) =>
  Effect.flatMap(client, (openai) => Effect.promise(() => use(openai)))

const MODEL = "mock-1"
const weather = { type: "function", function: { name: "get_weather", parameters: PARAMETERS, strict: true } } as const
const question = { role: "user", content: "What is the weather in Paris?" } as const

layer(Keyed.layer, { timeout: "120 seconds", excludeTestServices: true })("the OpenAI SDK", (it) => {
  it.effect("chat.completions: whole, with usage, and streamed", () =>
    using(async (openai) => {
      const whole = await openai.chat.completions.create({
        model: MODEL,
        messages: [{ role: "user", content: "A room?" }]
      })
      const text = whole.choices[0]?.message.content ?? ""
      assert.isAbove(text.length, 10)
      assert.strictEqual(whole.usage?.completion_tokens, 8)
      assert.match(whole.id, /^chatcmpl-/u)
      const stream = await openai.chat.completions.create({
        model: MODEL,
        messages: [
          { role: "developer", content: "Be brief." },
          { role: "user", content: "A room?" }
        ],
        stream: true,
        stream_options: { include_usage: true }
      })
      let streamed = ""
      let usage: number | undefined
      for await (const chunk of stream) {
        streamed += chunk.choices[0]?.delta.content ?? ""
        usage = chunk.usage?.completion_tokens ?? usage
      }
      assert.strictEqual(streamed, text)
      assert.strictEqual(usage, 8)
    })
  )

  it.effect("chat.completions: a tool is called, streamed too, and its result answered", () =>
    using(async (openai) => {
      const first = await openai.chat.completions.create({ model: MODEL, messages: [question], tools: [weather] })
      const choice = first.choices[0] ?? assert.fail("no choice")
      assert.strictEqual(choice.finish_reason, "tool_calls")
      const [call] = choice.message.tool_calls ?? []
      assert.deepInclude(call, { type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } })
      const second = await openai.chat.completions.create({
        model: MODEL,
        messages: [question, choice.message, { role: "tool", tool_call_id: call?.id ?? "", content: "18 °C" }],
        tools: [weather]
      })
      assert.include(second.choices[0]?.message.content, "get_weather says: 18 °C.")
      const run = openai.chat.completions.stream({ model: MODEL, messages: [question], tools: [weather] })
      const [streamed] = (await run.finalChatCompletion()).choices[0]?.message.tool_calls ?? []
      assert.deepInclude(streamed, { type: "function" })
      assert.strictEqual(streamed?.type === "function" ? streamed.function.arguments : "", '{"city":"Paris"}')
    })
  )

  it.effect("chat.completions: runTools calls the function by itself", () =>
    using(async (openai) => {
      const asked: Array<unknown> = []
      const runner = openai.chat.completions.runTools({
        model: MODEL,
        messages: [question],
        tools: [
          {
            type: "function",
            function: {
              name: "get_weather",
              description: "The weather of a city.",
              parameters: { ...PARAMETERS, required: ["city"] },
              parse: JSON.parse,
              function: (args: { readonly city: string }) => {
                asked.push(args)
                return "rain"
              }
            }
          }
        ]
      })
      assert.include(await runner.finalContent(), "get_weather says: rain.")
      assert.deepStrictEqual(asked, [{ city: "Paris" }])
    })
  )

  it.effect("chat.completions: structured output, several choices, a limit, images and files", () =>
    using(async (openai) => {
      const schema = {
        type: "object",
        properties: { name: { type: "string" } },
        required: ["name"],
        additionalProperties: false
      }
      const parsed = await openai.chat.completions.parse({
        model: MODEL,
        messages: [{ role: "user", content: "What is a room?" }],
        response_format: { type: "json_schema", json_schema: { name: "thing", schema, strict: true } }
      })
      assert.deepStrictEqual(JSON.parse(parsed.choices[0]?.message.content ?? ""), { name: "room" })
      const two = await openai.chat.completions.create({
        model: MODEL,
        n: 2,
        max_completion_tokens: 3,
        messages: [{ role: "user", content: "A room?" }]
      })
      assert.deepStrictEqual(
        two.choices.map(({ finish_reason, index }) => [index, finish_reason]),
        [
          [0, "length"],
          [1, "length"]
        ]
      )
      const seen = await openai.chat.completions.create({
        model: MODEL,
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "What is this?" },
              { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
              { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PIXEL}` } }
            ]
          }
        ]
      })
      assert.match(
        seen.choices[0]?.message.content ?? "",
        /I see an image \(image\/png, \d+ bytes\) and a file \(a\.pdf, /u
      )
    })
  )

  it.effect("embeddings: floats and base64 alike, of the length that was asked for", () =>
    using(async (openai) => {
      const floats = await openai.embeddings.create({
        model: "mock-embedding",
        input: ["one", "two"],
        encoding_format: "float",
        dimensions: 8
      })
      // Without a format the SDK asks for base64, and decodes it.
      const decoded = await openai.embeddings.create({ model: "mock-embedding", input: "one", dimensions: 8 })
      assert.strictEqual(floats.data.length, 2)
      assert.isAbove(floats.usage.prompt_tokens, 0)
      const [one] = floats.data
      for (const [index, value] of (decoded.data[0]?.embedding ?? []).entries())
        assert.closeTo(value, one?.embedding[index] ?? Number.NaN, 1e-6)
      assert.strictEqual(decoded.data[0]?.embedding.length, 8)
    })
  )

  it.effect("models: are listed and found", () =>
    using(async (openai) => {
      const ids: Array<string> = []
      for await (const model of openai.models.list()) ids.push(model.id)
      assert.deepStrictEqual(ids, ["mock-1", "mock-embedding"])
      assert.strictEqual((await openai.models.retrieve("mock-1")).object, "model")
    })
  )

  it.effect("errors: are the SDK's own classes, with code and request id", () =>
    Effect.gen(function* () {
      const { url } = yield* Keyed
      const openai = yield* client
      const failed = (ask: Promise<unknown>) =>
        Effect.promise(() =>
          ask.then(
            () => assert.fail("it should have failed"),
            (error: unknown) => (error instanceof OpenAI.APIError ? error : assert.fail(String(error)))
          )
        )
      const wrong = new OpenAI({ apiKey: "sk-wrong", baseURL: `${url}/v1` })
      const refused = yield* failed(wrong.models.list())
      assert.instanceOf(refused, OpenAI.AuthenticationError)
      assert.isString(refused.requestID)
      const unknown = yield* failed(openai.chat.completions.create({ model: "nobody", messages: [question] }))
      assert.instanceOf(unknown, OpenAI.NotFoundError)
      assert.strictEqual(unknown.code, "model_not_found")
      const bad = yield* failed(openai.chat.completions.create({ model: MODEL, messages: [] }))
      assert.instanceOf(bad, OpenAI.BadRequestError)
      assert.strictEqual(bad.param, "messages")
      // A provider that fails before the first token, and one that is cut in the middle of a stream.
      const before = yield* failed(
        openai.chat.completions.create({
          model: MODEL,
          messages: [{ role: "user", content: '[[mock {"fault":"before"}]]' }]
        })
      )
      assert.instanceOf(before, OpenAI.InternalServerError)
      const middle = yield* failed(
        (async () => {
          const content = '[[mock {"fault":"middle"}]]'
          const stream = await openai.chat.completions.create({
            model: MODEL,
            messages: [{ role: "user", content }],
            stream: true
          })
          for await (const chunk of stream) assert.notStrictEqual(chunk.choices[0]?.finish_reason, "stop")
        })()
      )
      assert.strictEqual(middle.code, "model_failed")
    })
  )

  it.effect("a retry of the SDK joins the answer that runs, and is not paid twice", () =>
    Effect.gen(function* () {
      const { key, token, url } = yield* Keyed
      const content = `Retried ${"x".repeat(20)}? [[mock {"tokens": 3, "delay": 200}]]`
      let tries = 0
      // The first answer is lost on its way.
      const losing: typeof fetch = async (input, init) => {
        const response = fetch(input, init)
        if (++tries > 1) return response
        await response.then((each) => each.text())
        throw new TypeError("the connection was lost")
      }
      const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 1, fetch: losing })
      const answer = yield* Effect.promise(() =>
        openai.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] })
      )
      assert.strictEqual(tries, 2)
      assert.strictEqual(answer.choices[0]?.finish_reason, "stop")
      const page: unknown = yield* Effect.promise(() =>
        fetch(`${url}/messages?limit=100`, { headers: { authorization: `Bearer ${token}` } }).then((each) =>
          each.json()
        )
      )
      const stored = JSON.stringify(page).split("Retried xxxxxxxxxxxxxxxxxxxx").length - 1
      assert.strictEqual(stored, 1)
    })
  )
})
