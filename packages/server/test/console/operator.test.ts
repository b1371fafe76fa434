import { assert, layer } from "@effect/vitest"
import { createOperatorToken } from "@llm-saas/database/logins/OperatorTokens"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Redacted } from "effect"
import type { Page } from "playwright-core"
import { Running } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { account, openAs } from "./Login.ts"
import { barriers, type Person, person } from "./Person.ts"

const PAGES = ["tenants", "plans", "plans/new", "prices?provider=openai", "usage", "health", "events"]

/** Their browser is at a page of the operator, by a new token that was typed. */
const asOperator = Effect.fnUntraced(function* ({ address, page }: Person, path: string) {
  const { adminUrl } = yield* TestDatabase
  const token = yield* createOperatorToken(adminUrl, { name: "on call", lifetime: undefined })
  yield* Effect.promise(async () => {
    await page.goto(`${address}/operator/${path}`)
    await page.getByLabel("Operator token").fill(Redacted.value(token.text))
    await page.getByRole("button", { name: "Go on" }).click()
    await page.getByRole("heading", { level: 1 }).waitFor()
    await page.getByText("Token “on call”").first().waitFor({ state: "attached" })
  })
  return token
})

const row = (page: Page, text: string) => page.locator("tbody tr", { hasText: text })

layer(consoleServer({ MOCK_TTFT_MS: "0", MOCK_TOKENS: "4" }), { timeout: "120 seconds", excludeTestServices: true })(
  "the operator at the console",
  (it) => {
    it.effect("suspends a tenant, whose user sees it, and resumes it", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const user = yield* account(send)
        const theirs = yield* person()
        yield* openAs(theirs, user, "/account/sessions")
        yield* Effect.promise(() => theirs.page.getByRole("heading", { name: "Sessions" }).waitFor())

        const operator = yield* person()
        yield* asOperator(operator, "tenants")
        const { page } = operator
        yield* Effect.promise(async () => {
          await page.getByLabel("Tenant id").fill(user.tenant)
          await page.getByRole("button", { name: "Open" }).click()
          await page.getByRole("button", { name: "Suspend" }).click()
          await page.getByRole("dialog").getByRole("button", { name: "Suspend it" }).click()
          await page.getByText("suspended", { exact: true }).waitFor()
        })
        yield* Effect.promise(async () => {
          await theirs.page.reload()
          await theirs.page.waitForURL(/\/login/u)
          await theirs.page.getByRole("button").first().waitFor()
        })
        const refused = yield* send("GET", "/me", { token: user.token })
        assert.strictEqual(refused.status, 401)

        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Resume" }).click()
          await page.getByRole("dialog").getByRole("button", { name: "Resume it" }).click()
          await page.getByText("active", { exact: true }).waitFor()
        })
        yield* openAs(theirs, user, "/account/sessions")
        yield* Effect.promise(() => theirs.page.getByRole("heading", { name: "Sessions" }).waitFor())
        assert.deepStrictEqual([...operator.faults, ...operator.strangers], [])
      })
    )

    it.effect("makes a plan and gives it to a tenant, corrects what the tenant owes, and erases it by its name", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const user = yield* account(send)
        const { faults, page, ...rest } = yield* person()
        const { text } = yield* asOperator({ faults, page, ...rest }, "plans/new")
        const asked = { token: Redacted.value(text) }
        yield* Effect.promise(async () => {
          await page.getByLabel("Name").fill("Team")
          await page.getByLabel("Markup").fill("1.25")
          await page.getByRole("group", { name: "Of each user" }).getByLabel("Requests a minute").fill("60")
          await page.getByRole("button", { name: "Make the plan" }).click()
          await row(page, "Team").waitFor()
        })
        const { body: plans } = yield* send("GET", "/operator/plans", asked)
        const [plan] = plans["data"] as ReadonlyArray<Record<string, unknown>>
        assert.deepInclude(plan, { name: "Team", markup: "1.25", models: null, content_days_at_most: null })
        assert.deepStrictEqual(plan?.["limits"], { user: { limits: { requests_per_minute: 60 } } })

        yield* Effect.promise(async () => {
          await page.goto(`${rest.address}/operator/tenants/${user.tenant}`)
          await page.getByRole("button", { name: "Change the plan" }).click()
          await page.getByRole("dialog").getByLabel("Plan").selectOption("Team")
          await page.getByRole("dialog").getByRole("button", { name: "Save" }).click()
          await page.getByRole("link", { name: "Team" }).waitFor()
          await page.getByRole("button", { name: "Correct" }).click()
          await page.getByLabel("Amount (US dollars)").fill("-0.5")
          await page.getByLabel("Note").fill("goodwill")
          await page.getByRole("button", { name: "Add the entry" }).click()
          await page.getByText("owes -$0.50").waitFor()
        })
        const { body: usage } = yield* send("GET", `/operator/usage?tenant_id=${user.tenant}`, asked)
        assert.deepInclude((usage["data"] as ReadonlyArray<object>)[0], { tenant_amount: "-0.5" })

        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Erase" }).click()
          const dialog = page.getByRole("dialog")
          await dialog.getByLabel(/Type the tenant's name/u).fill("Acme")
          if (await dialog.getByRole("button", { name: "Erase it for good" }).isEnabled())
            throw new Error("half of a name was enough")
          await dialog.getByLabel(/Type the tenant's name/u).fill("Acme Corp")
          await dialog.getByRole("button", { name: "Erase it for good" }).click()
          await page.getByText("Receipt of the erasure").waitFor()
          await page.getByText(/^Done at/u).waitFor()
        })
        const { body: tenant } = yield* send("GET", `/operator/tenants/${user.tenant}`, asked)
        assert.strictEqual(tenant["status"], "erased")
        assert.deepStrictEqual([...faults], [])
      })
    )

    it.effect(
      "has a token in this tab only, which is sent to the operator's addresses and is gone when it is forgotten",
      () =>
        Effect.gen(function* () {
          const who = yield* person()
          const { page } = who
          const sent: Array<string> = []
          page.on("request", (request) => {
            if (request.headers()["authorization"]?.startsWith("Bearer op-") === true)
              sent.push(new URL(request.url()).pathname)
          })
          yield* asOperator(who, "tenants")
          for (const path of PAGES) {
            yield* Effect.promise(() => page.goto(`${who.address}/operator/${path}`))
            yield* Effect.promise(() => page.getByRole("heading", { level: 1 }).waitFor())
            assert.deepStrictEqual(yield* barriers(page), [], path)
          }
          assert.isAbove(sent.length, PAGES.length)
          assert.deepStrictEqual(
            sent.filter((path) => !path.startsWith("/operator/")),
            []
          )
          const other = yield* Effect.promise(() => who.context.newPage())
          yield* Effect.promise(() => other.goto(`${who.address}/operator/tenants`))
          yield* Effect.promise(() => other.getByLabel("Operator token").waitFor())

          yield* Effect.promise(() => page.getByRole("button", { name: "Forget the token" }).click())
          yield* Effect.promise(() => page.getByLabel("Operator token").waitFor())
          yield* Effect.promise(() => page.reload())
          yield* Effect.promise(() => page.getByLabel("Operator token").waitFor())
          assert.strictEqual(yield* Effect.promise(() => page.evaluate(() => sessionStorage.length)), 0)
          assert.deepStrictEqual([...who.faults, ...who.strangers], [])
        })
    )
  }
)

layer(consoleServer({ OPERATOR: "off" }), { timeout: "120 seconds", excludeTestServices: true })(
  "a server without operators",
  (it) => {
    it.effect("says so, and asks for no token", () =>
      Effect.gen(function* () {
        const { address, page } = yield* person()
        yield* Effect.promise(() => page.goto(`${address}/operator`))
        yield* Effect.promise(() => page.getByText("The operator's pages are switched off").waitFor())
        assert.strictEqual(yield* Effect.promise(() => page.getByLabel("Operator token").count()), 0)
      })
    )
  }
)
