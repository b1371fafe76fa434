import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Locator, Page } from "playwright-core"
import { noBrowser, open } from "./client/Browser.ts"
import { Running } from "./Running.ts"

const EMAIL = "alice@acme.com"
const PASSWORD = "password123"

/** An endpoint in Swagger UI, unfolded and ready to be tried. */
const tryOut = async (page: Page, method: string, path: string): Promise<Locator> => {
  const block = page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) })
  await block.locator(".opblock-summary-control").click()
  await block.locator(".try-out__btn").click()
  return block
}

/** Sends it, and reads the status of the answer, which Swagger UI shows too. */
const execute = async (page: Page, block: Locator, path: string): Promise<number> => {
  const answered = page.waitForResponse((response) => response.url().endsWith(path))
  await block.locator(".execute").click()
  const status = (await answered).status()
  await block.locator(".live-responses-table tbody .response-col_status", { hasText: `${status}` }).waitFor()
  return status
}

layer(Running.layer, { timeout: "120 seconds", excludeTestServices: true })("Swagger UI, in a real browser", (it) => {
  it.effect.skipIf(noBrowser)(
    "logs in with two fields, by `Try it out` and by `Authorize`",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { body: tenant } = yield* send("POST", "/create-tenant", { json: { name: "Acme Corp" } })
        yield* send("POST", "/register", { json: { email: EMAIL, password: PASSWORD, tenant_id: tenant["id"] } })
        const { page } = yield* open(`http://127.0.0.1:${port}/docs`)
        const sent: Array<string> = []
        page.on("request", (request) => {
          if (request.method() === "POST") sent.push(request.postData() ?? "")
        })

        // As it stands: the examples are the user of the quick start, and no tenant is made up beside them.
        const login = yield* Effect.promise(() => tryOut(page, "post", "/login"))
        assert.strictEqual(yield* Effect.promise(() => execute(page, login, "/login")), 200)
        const form = new URLSearchParams(sent[0])
        assert.deepStrictEqual([form.get("username"), form.get("password")], [EMAIL, PASSWORD])
        assert.strictEqual(form.get("tenant_id") ?? "", "")

        const me = yield* Effect.promise(() => tryOut(page, "get", "/me"))
        assert.strictEqual(yield* Effect.promise(() => execute(page, me, "/me")), 401)

        yield* Effect.promise(async () => {
          await page.locator(".auth-wrapper > .btn.authorize").click()
          const form = page.locator(".modal-ux .auth-container", { hasText: "OAuth2" })
          await form.locator("#oauth_username").fill(EMAIL)
          await form.locator("#oauth_password").fill(PASSWORD)
          await form.locator(".btn.authorize").click()
          await form.locator("button", { hasText: "Logout" }).waitFor()
          await page.locator(".modal-ux .close-modal").click()
        })
        assert.match(sent[1] ?? "", /^grant_type=password&/)
        assert.strictEqual(yield* Effect.promise(() => execute(page, me, "/me")), 200)
      }).pipe(Effect.scoped),
    { timeout: 120_000 }
  )
})
