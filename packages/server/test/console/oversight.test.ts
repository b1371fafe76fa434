import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Running } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { account, openAs } from "./Login.ts"
import { barriers, person } from "./Person.ts"

/** An answer of a minute. */
const SLOW = `[[mock {"tokens": 3000, "delay": 20}]]`

layer(consoleServer({ MOCK_TTFT_MS: "0" }), { timeout: "120 seconds", excludeTestServices: true })(
  "what admins look at",
  (it) => {
    it.effect("an answer under way is there while it runs, and an admin stops it", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const admin = yield* account(send)
        const member = yield* account(send, admin.tenant)
        const stranger = yield* account(send)
        const read = (token: string) =>
          Effect.promise(async () => {
            const answer = await fetch(`http://127.0.0.1:${port}/messages/stream`, {
              method: "POST",
              headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
              body: JSON.stringify({ content: SLOW })
            })
            return answer.text()
          })
        const who = yield* person()
        const { page } = who
        yield* openAs(who, admin, "/admin/live")
        yield* Effect.promise(() => page.getByText("No answer is under way").waitFor())
        const text = yield* Effect.forkChild(read(member.token))
        const theirs = yield* Effect.forkChild(read(stranger.token))
        const row = page.locator("tbody tr", { hasText: member.email })
        // By itself, while the tab is seen.
        yield* Effect.promise(() => row.getByText(/tokens\/s/u).waitFor())
        assert.strictEqual(yield* Effect.promise(() => page.locator("tbody tr").count()), 1)
        yield* Effect.promise(async () => {
          await row.getByRole("button", { name: "Stop" }).click()
          await page.getByRole("dialog").getByRole("button", { name: "Stop it" }).click()
          await page.getByText("No answer is under way").waitFor()
        })
        assert.isBelow((yield* Fiber.join(text)).split("\n").length, 3000 * 3)
        const { body } = yield* send("GET", "/messages", { token: member.token })
        const [message] = body["data"] as ReadonlyArray<Record<string, unknown>>
        assert.strictEqual(message?.["status"], "cancelled")
        const mine = yield* send("GET", "/generations", { token: stranger.token })
        const [running] = mine.body["data"] as ReadonlyArray<Record<string, unknown>>
        assert.strictEqual(running?.["status"], "streaming")
        yield* send("POST", `/generations/${String(running?.["id"])}/cancel`, { token: stranger.token })
        yield* Fiber.join(theirs)
        assert.deepStrictEqual([...who.faults, ...who.strangers], [])
      })
    )

    it.effect("the audit log shows what an address says, and the address what was chosen", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const admin = yield* account(send)
        const member = yield* account(send, admin.tenant)
        for (const name of ["one", "two"])
          yield* send("POST", "/keys", { token: member.token, json: { name, scopes: ["chat"] } })
        yield* send("POST", "/keys", { token: admin.token, json: { name: "three", scopes: ["chat"] } })
        const who = yield* person()
        const { page } = who
        const rows = page.getByRole("region", { name: "Events" }).locator("tbody tr")
        const texts = (count: number) =>
          Effect.promise(async () => {
            await rows.nth(count - 1).waitFor()
            return rows.allInnerTexts()
          })

        yield* openAs(who, admin, `/admin/audit?type=key.created&actor=${member.id}`)
        const two = yield* texts(2)
        assert.strictEqual(two.length, 2)
        for (const text of two) assert.include(text, member.email)
        assert.strictEqual(yield* Effect.promise(() => page.getByLabel("What").inputValue()), "key.created")
        assert.strictEqual(yield* Effect.promise(() => page.getByLabel("Who").inputValue()), member.email)

        yield* Effect.promise(() => page.getByRole("button", { name: "Show all" }).click())
        yield* texts(5)
        yield* Effect.promise(async () => {
          await page.getByLabel("Who").fill(admin.email)
          await page.getByLabel("Who").press("Enter")
          await page.waitForURL(new RegExp(`actor=${admin.id}`, "u"))
          await page.getByLabel("What").selectOption("key.created")
          await page.waitForURL(/type=key\.created/u)
          await rows.nth(1).waitFor({ state: "detached" })
        })
        assert.include((yield* texts(1))[0], admin.email)
        yield* Effect.promise(() => page.goBack())
        yield* texts(2)

        yield* Effect.promise(() => page.goto(`${who.address}/admin/audit?from=2020-01-01&to=2020-01-31`))
        yield* Effect.promise(() => page.getByText("No such events").waitFor())
        assert.deepStrictEqual(yield* barriers(page), [])
        assert.deepStrictEqual([...who.faults, ...who.strangers], [])
      })
    )

    it.effect("the isolation report is printed whole, and without what only a screen has", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const admin = yield* account(send)
        const who = yield* person({ dark: true })
        const { page } = who
        yield* openAs(who, admin, "/admin/isolation")
        yield* Effect.promise(() => page.getByText("Nothing was found.").waitFor())
        const report = yield* send("GET", `/tenants/${admin.tenant}/isolation-report`, { token: admin.token })
        const checks = report.body["checks"] as ReadonlyArray<{ readonly kind: string }>
        const shown = yield* Effect.promise(() => page.locator("tbody tr").count())
        assert.strictEqual(shown, checks.length)
        assert.deepStrictEqual(yield* barriers(page), [])

        yield* Effect.promise(() => page.emulateMedia({ media: "print", colorScheme: "dark" }))
        for (const seen of [page.getByText("Nothing was found."), page.getByText(/audit:grant/u)])
          assert.isTrue(yield* Effect.promise(() => seen.first().isVisible()))
        for (const hidden of [
          page.getByRole("button", { name: "Print" }),
          page.getByRole("button", { name: "Check again" }),
          page.getByRole("button", { name: "Copy" }).first(),
          page.locator(".sidebar")
        ])
          assert.isFalse(yield* Effect.promise(() => hidden.isVisible()))
        // Dark text on white paper, also for who looks at it in the dark.
        const [background, text] = yield* Effect.promise(() =>
          page.evaluate<ReadonlyArray<string>>(
            "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))"
          )
        )
        assert.deepStrictEqual([background, text], ["rgb(255, 255, 255)", "rgb(22, 25, 31)"])
        // More than a window: nothing is cut off.
        const pdf = yield* Effect.promise(() => page.pdf({ format: "A4" }))
        const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/gu) ?? []
        assert.isAtLeast(pages.length, 2)
        assert.deepStrictEqual([...who.faults, ...who.strangers], [])
      })
    )
  }
)
