import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { spawned } from "../Process.ts"
import { Running } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { barriers, person } from "./Person.ts"

layer(consoleServer({ MOCK_TTFT_MS: "0" }), { timeout: "120 seconds" })("on an empty database", (it) => {
  it.effect.skipIf(noBrowser)(
    "the console leads from nothing to a key that answers a command as it stands, over a reload, in under two minutes",
    () =>
      Effect.gen(function* () {
        const { address, faults, page, strangers } = yield* person()
        const press = (name: string) => page.getByRole("button", { name, exact: true }).click()
        const begun = performance.now()
        yield* Effect.promise(async () => {
          await page.goto(`${address}/`)
          await page.getByLabel("Name").fill("Acme Corp")
          await press("Continue")
          // What was typed is there after a reload, and nothing has been made yet.
          await page.reload()
          await page.getByText("first admin of Acme Corp").waitFor()
          await page.getByLabel("Email").fill("ada@acme.test")
          // One of those that everybody chooses: the tenant is made, and the account not.
          await page.getByLabel("Password").fill("iloveyou1")
          await press("Create the tenant")
          await page.getByText("one of those that many people choose").waitFor()
          await page.getByLabel("Password").fill("correct horse staple")
          await press("Create the tenant")
          await press("Ask")
          await press("Continue")
        })
        // The steps so far are over, and what comes next is there again.
        yield* Effect.promise(async () => {
          await page.reload()
          await page.getByRole("heading", { name: "Where things are" }).waitFor()
        })
        assert.deepStrictEqual(yield* barriers(page), [])
        const command = yield* Effect.promise(async () => {
          await press("Continue")
          await press("Make a key")
          return page.getByRole("region", { name: "A command that asks with the key" }).innerText()
        })
        assert.deepStrictEqual(yield* barriers(page), [])
        const curl = yield* spawned("/bin/sh", ["-c", command], {})
        assert.strictEqual((yield* curl.ended).code, 0, curl.output().stderr)
        const answer: unknown = JSON.parse(curl.output().stdout)
        assert.strictEqual(Reflect.get(Object(answer), "status"), "completed", curl.output().stdout)
        assert.isBelow(performance.now() - begun, 120_000)
        // One tenant and one admin, though the first try of the account failed.
        const { send } = yield* Running
        const about = yield* send("GET", "/about")
        assert.isFalse(about.body["setup"])
        yield* Effect.promise(async () => {
          await press("Open the console")
          await page.waitForURL((url) => !url.pathname.endsWith("/setup"))
          await page.goto(`${address}/account`)
          await page.getByRole("main").getByText("ada@acme.test").waitFor()
          // It is over: the address leads to the console.
          await page.goto(`${address}/setup`)
          await page.waitForURL((url) => !url.pathname.endsWith("/setup"))
        })
        assert.deepStrictEqual([...faults], [])
        assert.deepStrictEqual([...strangers], [])
      }).pipe(Effect.scoped),
    120_000
  )
})

layer(consoleServer({ TENANT_CREATION: "closed" }), { timeout: "120 seconds" })(
  "where nobody may create a tenant from outside",
  (it) => {
    it.effect.skipIf(noBrowser)("the first page says what to do instead", () =>
      Effect.gen(function* () {
        const { address, page } = yield* person()
        yield* Effect.promise(async () => {
          await page.goto(`${address}/login`)
          await page.getByText("npm run operator -- tenants create").waitFor()
        })
        assert.strictEqual(yield* Effect.promise(() => page.getByLabel("Name").count()), 0)
      }).pipe(Effect.scoped)
    )
  }
)

const TOKEN = "a-token-for-tenants-of-thirty-two-characters"

layer(consoleServer({ TENANT_CREATION_TOKEN: TOKEN }), { timeout: "120 seconds" })(
  "where a token is wanted for a tenant",
  (it) => {
    it.effect.skipIf(noBrowser)("the first run asks for it, and goes on after a wrong one", () =>
      Effect.gen(function* () {
        const { address, faults, page } = yield* person()
        yield* Effect.promise(async () => {
          await page.goto(`${address}/login`)
          await page.getByLabel("Name").fill("Acme Corp")
          await page.getByRole("button", { name: "Continue" }).click()
          await page.getByLabel("Email").fill("ada@acme.test")
          await page.getByLabel("Password").fill("correct horse staple")
          await page.getByLabel("Token").fill("not that one")
          await page.getByRole("button", { name: "Create the tenant" }).click()
          await page.getByRole("alert").waitFor()
          await page.getByLabel("Token").fill(TOKEN)
          await page.getByRole("button", { name: "Create the tenant" }).click()
          await page.getByRole("heading", { name: "Ask a first question" }).waitFor()
        })
        assert.deepStrictEqual([...faults], [])
      }).pipe(Effect.scoped)
    )
  }
)
