import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { noBrowser, open } from "./client/Browser.ts"
import { ROOT } from "./client/Packed.ts"
import { signUp } from "./People.ts"
import { freePort, spawned } from "./Process.ts"
import { Running, running } from "./Running.ts"

const example = (name: string) => [join(ROOT, "examples", name)]

layer(Running.with({ MOCK_TOKENS: "12", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "5" }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("the examples", (it) => {
  it.effect("chat in the terminal, in one conversation", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const tenant = String((yield* send("POST", "/create-tenant", { json: { name: "Acme Corp" } })).body["id"])
      const account = { email: "alice@acme.test", password: "password123" }
      yield* send("POST", "/register", { json: { ...account, tenant_id: tenant } })
      const chat = yield* spawned(
        process.execPath,
        example("chat.ts"),
        { LLM_URL: `http://127.0.0.1:${port}`, LLM_EMAIL: account.email, LLM_PASSWORD: account.password },
        undefined,
        "What is a room?\nAnd a house?\n"
      )
      assert.deepStrictEqual(yield* chat.ended, { code: 0, signal: null }, chat.output().stderr)
      const login = yield* send("POST", "/login", { json: { username: account.email, password: account.password } })
      const token = String(login.body["access_token"])
      const { data } = (yield* send("GET", "/messages", { token })).body as { readonly data: ReadonlyArray<Message> }
      assert.deepStrictEqual(
        data.map(({ content }) => content),
        ["And a house?", "What is a room?"]
      )
      assert.strictEqual(new Set(data.map(({ conversation_id }) => conversation_id)).size, 1)
      for (const { response } of data) assert.include(chat.output().stdout, response)
      assert.strictEqual(chat.output().stderr, "")
    }).pipe(Effect.scoped)
  )

  it.effect("chat with a user who has no account yet", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const environment = { LLM_URL: `http://127.0.0.1:${port}` }
      const chat = yield* spawned(process.execPath, example("chat.ts"), environment, undefined, "What is a room?\n")
      assert.deepStrictEqual(yield* chat.ended, { code: 0, signal: null }, chat.output().stderr)
      assert.match(chat.output().stdout, /You are .*@example\.com, of a tenant of your own\.[\s\S]* [Rr]oom/u)
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(noBrowser)(
    "chat in a page",
    () =>
      Effect.gen(function* () {
        const pagePort = yield* freePort
        const origin = `http://localhost:${pagePort}`
        const { port, send } = yield* running({
          MOCK_TTFT_MS: "0",
          STREAM_GRACE_SECONDS: "0",
          // In development a page of localhost needs no permission.
          APP_ENV: "development",
          ALLOWED_ORIGINS: ""
        })
        yield* signUp(send)
        const server = yield* spawned(process.execPath, example("page.ts"), { PAGE_PORT: String(pagePort) })
        yield* server.says(/http:\/\/localhost/)
        const { page, said } = yield* open(`${origin}?server=http://127.0.0.1:${port}`)
        yield* Effect.promise(async () => {
          await page.fill("#email", "bob@acme.test")
          await page.fill("#password", "password123")
          await page.click("text=New account")
          await page.fill("#question", `<b>What</b> is it? [[mock {"say": ["A ", "<b>room</b>", "."], "delay": 5}]]`)
          await page.click("text=Send")
          await page.waitForSelector(".answer.whole")
          // What is asked and answered is text, whatever it looks like.
          assert.deepStrictEqual(await page.locator(".answer").allTextContents(), ["A <b>room</b>."])
          assert.strictEqual(await page.locator("main b").count(), 0)

          await page.fill("#question", `[[mock {"tokens": 1000, "delay": 20}]]`)
          await page.click("text=Send")
          const second = page.locator(".answer").nth(1)
          await second.filter({ hasText: /.{20}/u }).waitFor()
          await page.click("text=Stop")
          await second.filter({ hasText: / … stopped$/u }).waitFor()
        })
        assert.deepStrictEqual(said, [])
      }).pipe(Effect.scoped),
    120_000
  )
})

interface Message {
  readonly content: string
  readonly response: string
  readonly conversation_id: string
}
