import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { Running } from "../Running.ts"
import { person } from "./Person.ts"

export const PASSWORD = "correct horse battery staple"
let offices = 0

/** A tenant with an admin, a user, and one of everything that has an id; all that people wrote has `mark` in it. */
export const office = Effect.gen(function* () {
  const { send } = yield* Running
  const mark = `office${++offices}mark`
  const admin = `admin@${mark}.test`
  const member = `member@${mark}.test`
  const tenant = String((yield* send("POST", "/create-tenant", { json: { name: `${mark} Ltd` } })).body["id"])
  yield* send("POST", "/register", { json: { email: admin, password: PASSWORD, tenant_id: tenant } })
  const token = yield* tokenOf(admin)
  const made = (path: string, json: Record<string, unknown>, by = token) =>
    Effect.map(send("POST", path, { token: by, json }), ({ body }) => String(body["id"]))
  const user = yield* made("/admin/users", { email: member, password: PASSWORD })
  const theirs = yield* tokenOf(member)
  const conversation = yield* made("/conversations", { title: mark }, theirs)
  const message = yield* send("POST", "/messages", {
    token: theirs,
    json: { content: `Tell ${mark}`, conversation_id: conversation }
  })
  const account = yield* made("/service-accounts", { name: `${mark} program` })
  const ids = {
    tenant,
    user,
    account,
    conversation,
    message: String(message.body["id"]),
    generation: String(message.body["generation_id"]),
    key: yield* made("/keys", { name: `${mark} bot`, scopes: ["chat"] }),
    accountKey: yield* made("/keys", { name: `${mark} its`, scopes: ["chat"], owner: account }),
    invitation: yield* made(`/tenants/${tenant}/invitations`, { email: `invited@${mark}.test` })
  }
  return { mark, admin, member, token, memberToken: theirs, ids }
})

export const tokenOf = (username: string) =>
  Effect.gen(function* () {
    const { send } = yield* Running
    const { body } = yield* send("POST", "/login", { json: { username, password: PASSWORD } })
    return String(body["access_token"])
  })

/** A browser of a person's own, in which they are logged in. `answers` has all that the server told its pages since. */
export const loggedIn = Effect.fnUntraced(function* (email: string, window: Parameters<typeof person>[0] = {}) {
  const at = yield* person(window)
  const { page } = at
  yield* Effect.promise(() => page.goto(`${at.address}/login`))
  // As the console's own login sends it: the cookie is of this origin.
  const status = yield* Effect.promise(() =>
    page.evaluate(
      ({ password, username }) =>
        fetch("/login", {
          method: "POST",
          headers: { "content-type": "application/json", "x-csrf": "1" },
          body: JSON.stringify({ username, password, session: "cookie" })
        }).then((response) => response.status),
      { username: email, password: PASSWORD }
    )
  )
  assert.strictEqual(status, 200)
  const answers: Array<{ readonly address: string; readonly status: number; readonly text: Promise<string> }> = []
  page.on("response", (response) => {
    if (response.url().includes("/console/assets/")) return
    // Of an answer whose page was left there is no text any more.
    answers.push({ address: response.url(), status: response.status(), text: response.text().catch(() => "") })
  })
  /** Opens a page of the console, and waits until it has asked for all that it shows. */
  const open = (path: string) =>
    Effect.promise(async () => {
      await page.goto(`${at.address}${path}`)
      await page.locator("h1, .empty").first().waitFor()
      await page.waitForLoadState("networkidle")
    })
  return { ...at, answers, open }
})

/** The addresses of all pages, as the console's router has them, with the names of their parts: `/admin/users/$user`. */
export const addressesOf = (page: Page): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    // TanStack Router leaves itself there for its tools.
    const paths = await page.evaluate<ReadonlyArray<string>>(
      "Object.values(self.__TSR_ROUTER__.routesById).map(({ fullPath }) => fullPath)"
    )
    return [...new Set(paths.map((path) => path.replace(/\/+$/u, "")))].filter((path) => path !== "")
  })
