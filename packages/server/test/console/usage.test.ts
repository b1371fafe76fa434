import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { fillMonth } from "@llm-saas/testing/UsageMonth"
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import type { Page } from "playwright-core"
import { Running, type Send } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { type Account, account, openAs } from "./Login.ts"
import { barriers, person } from "./Person.ts"

// Two days, and the two before them.
const DAYS = { from: "2026-11-03", to: "2026-11-04" }
const BEFORE = { from: "2026-11-01", to: "2026-11-02" }
const ADDRESS = `/usage?scope=tenant&period=own&from=${DAYS.from}&to=${DAYS.to}`

type Row = Readonly<Record<string, unknown>>

const report = (send: Send, { token }: Account, query: string, { from, to } = DAYS) =>
  Effect.map(
    send("GET", `/usage?scope=tenant&from=${from}&to=${to}${query}`, { token }),
    ({ body }) => body["data"] as ReadonlyArray<Row>
  )

/** The value of a figure of the page, and what stands below it. */
const figure = (page: Page, title: string) =>
  Effect.promise(async () => {
    const found = page.locator(".figure", { has: page.locator("dt", { hasText: new RegExp(`^${title}$`, "u") }) })
    return found.locator("dd").allInnerTexts()
  })

const tokensOf = (row: Row | undefined) =>
  Object.values(row?.["units"] as Readonly<Record<string, number>>).reduce((sum, each) => sum + each, 0)

/** An amount as pages show it: no more than six places, and none of them rounded up. */
const shown = (amount: unknown) => {
  const [units = "", places = ""] = String(amount).split(".")
  return `$${units}.${places.slice(0, 6).replace(/0+$/u, "").padEnd(2, "0")}`
}

const inCommas = (value: unknown) => Number(value).toLocaleString("en-US")

const office = Effect.gen(function* () {
  const { send } = yield* Running
  const { adminUrl } = yield* TestDatabase
  const admin = yield* account(send)
  const member = yield* account(send, admin.tenant)
  yield* fillMonth(adminUrl, {
    tenant: admin.tenant,
    begins: BEFORE.from,
    days: 4,
    answers: 300,
    users: 2,
    keys: 0
  })
  return { admin, member, send }
})

layer(consoleServer(), { timeout: "120 seconds", excludeTestServices: true })("the page of usage", (it) => {
  it.effect("has the figures of the API, each beside that of the days before", () =>
    Effect.gen(function* () {
      const { admin, send } = yield* office
      const who = yield* person()
      yield* openAs(who, admin, ADDRESS)
      yield* Effect.promise(() => who.page.getByRole("heading", { name: "By model" }).waitFor())
      const [now] = yield* report(send, admin, "")
      const [earlier] = yield* report(send, admin, "", BEFORE)
      const [cost, costBefore] = yield* figure(who.page, "Cost")
      assert.strictEqual(cost, shown(now?.["cost_usd"]))
      assert.include(costBefore, `from ${shown(earlier?.["cost_usd"])}`)
      const by = Number(now?.["cost_usd"]) / Number(earlier?.["cost_usd"]) - 1
      assert.strictEqual(costBefore?.startsWith("+"), by > 0)
      assert.closeTo(Number.parseFloat(costBefore ?? ""), by * 100, 0.51)
      assert.strictEqual((yield* figure(who.page, "Requests"))[0], inCommas(now?.["requests"]))
      assert.strictEqual((yield* figure(who.page, "Tokens"))[0], inCommas(tokensOf(now)))
      assert.match((yield* figure(who.page, "Errors"))[0] ?? "", new RegExp(`^${inCommas(now?.["errors"])}\\b`, "u"))

      const rows = yield* Effect.promise(async () => {
        const cells = await who.page.getByRole("region", { name: "Usage by model" }).locator("tbody tr").all()
        return Promise.all(cells.map((row) => row.locator("td").allInnerTexts()))
      })
      const models = yield* report(send, admin, "&group_by=model")
      assert.isAtLeast(models.length, 2)
      assert.deepStrictEqual(
        rows.map(([model, cost, _share, requests, errors, tokens]) => [model, cost, requests, errors, tokens]),
        models.map((row) => [
          row["model"],
          shown(row["cost_usd"]),
          inCommas(row["requests"]),
          inCommas(row["errors"]),
          inCommas(tokensOf(row))
        ])
      )

      yield* Effect.promise(() => who.page.getByText("The same as a table").click())
      const days = yield* Effect.promise(async () => {
        const cells = await who.page.getByRole("region", { name: "Usage by day" }).locator("tbody tr").all()
        return Promise.all(cells.map((row) => row.locator("td").allInnerTexts()))
      })
      const byDay = yield* report(send, admin, "&group_by=day")
      assert.deepStrictEqual(
        days.map(([day, cost, requests]) => [day, cost, requests]),
        byDay.map((row, n) => [["Nov 3, 2026", "Nov 4, 2026"][n], shown(row["cost_usd"]), inCommas(row["requests"])])
      )
      assert.deepStrictEqual(yield* barriers(who.page), [])
      assert.deepStrictEqual([...who.faults, ...who.strangers], [])
    })
  )

  it.effect("draws its chart in the colours of the theme, also when that changes", () =>
    Effect.gen(function* () {
      const { admin } = yield* office
      const { page, ...who } = yield* person()
      yield* openAs({ page, ...who }, admin, ADDRESS)
      const drawn = (...[red, green, blue]: ReadonlyArray<number>) =>
        Effect.promise(() =>
          page.evaluate(`new Promise((seen) => {
            const look = () => {
              const canvas = document.querySelector(".day-chart canvas")
              const { data } = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] }
              let found = 0
              for (let at = 0; at < data.length; at += 4)
                if (data[at] === ${red} && data[at + 1] === ${green} && data[at + 2] === ${blue}) found++
              if (found > 500) seen(true)
              else requestAnimationFrame(look)
            }
            look()
          })`)
        )
      yield* drawn(52, 80, 200)
      yield* Effect.promise(() => page.emulateMedia({ colorScheme: "dark" }))
      yield* drawn(142, 164, 255)
      assert.deepStrictEqual([...who.faults], [])
    })
  )

  it.effect("gives each answer as a file, written while it comes where the browser can", () =>
    Effect.gen(function* () {
      const { admin, send } = yield* office
      const who = yield* person()
      const { port } = yield* Running
      const expected = yield* Effect.promise(async () => {
        const query = `scope=tenant&format=csv&from=${DAYS.from}&to=${DAYS.to}`
        const answer = await fetch(`http://127.0.0.1:${port}/usage/export?${query}`, {
          headers: { authorization: `Bearer ${admin.token}` }
        })
        return answer.text()
      })
      assert.isAbove(expected.split("\r\n").length, 50)
      const [sum] = yield* report(send, admin, "")
      assert.strictEqual(expected.trim().split("\r\n").length - 1, sum?.["requests"])
      yield* openAs(who, admin, ADDRESS)
      const button = who.page.getByRole("button", { name: "Each answer as CSV" })

      // The person's choice of a file is the browser's own; a file of the page's private storage stands for it.
      yield* Effect.promise(() =>
        who.page.evaluate(
          `Object.defineProperty(window, "showSaveFilePicker", { configurable: true, value: async () =>
            (await navigator.storage.getDirectory()).getFileHandle("usage.csv", { create: true }) }); undefined`
        )
      )
      yield* Effect.promise(() => button.click())
      yield* Effect.promise(() => who.page.getByText("Saved usage-tenant-2026-11-03-2026-11-04.csv.").waitFor())
      const written = yield* Effect.promise(() =>
        who.page.evaluate<string>(
          `navigator.storage.getDirectory().then((directory) => directory.getFileHandle("usage.csv"))
            .then((handle) => handle.getFile()).then((file) => file.text())`
        )
      )
      assert.strictEqual(written, expected)

      // A browser that cannot write files saves what it has collected.
      yield* Effect.promise(() =>
        who.page.evaluate(() => {
          Object.defineProperty(globalThis, "showSaveFilePicker", { value: undefined })
        })
      )
      const saved = yield* Effect.promise(async () => {
        const [download] = await Promise.all([who.page.waitForEvent("download"), button.click()])
        return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") }
      })
      assert.deepStrictEqual(saved, { name: "usage-tenant-2026-11-03-2026-11-04.csv", text: expected })
      assert.deepStrictEqual([...who.faults], [])
    })
  )

  it.effect("offers a user their own usage only, also at an admin's address", () =>
    Effect.gen(function* () {
      const { member, send } = yield* office
      const who = yield* person({ width: 390, dark: true })
      yield* openAs(who, member, `${ADDRESS}&by=user`)
      yield* Effect.promise(() => who.page.getByRole("heading", { name: "By model" }).waitFor())
      const { body } = yield* send("GET", `/usage?from=${DAYS.from}&to=${DAYS.to}`, { token: member.token })
      const [own] = body["data"] as ReadonlyArray<Row>
      assert.strictEqual((yield* figure(who.page, "Requests"))[0], inCommas(own?.["requests"]))
      for (const name of ["All users", "User"])
        assert.strictEqual(yield* Effect.promise(() => who.page.getByRole("link", { name, exact: true }).count()), 0)
      assert.deepStrictEqual(yield* barriers(who.page), [])
    })
  )
})
