import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { connect, createServer, type Socket } from "node:net"
import { Running } from "../Running.ts"
import { person } from "./Person.ts"

let people = 0
const PASSWORD = "password123"

/** A user of a tenant of their own, logged in at a browser of their own, and by the API. */
export const chatter = Effect.fnUntraced(function* (window: Parameters<typeof person>[0] = {}) {
  const { send } = yield* Running
  const tenant = String((yield* send("POST", "/create-tenant", { json: { name: "Acme Corp" } })).body["id"])
  const email = `chatter${++people}@acme.test`
  const made = yield* send("POST", "/register", { json: { email, password: PASSWORD, tenant_id: tenant } })
  const login = yield* send("POST", "/login", { json: { username: email, password: PASSWORD } })
  const at = yield* person(window)
  const { page } = at
  // As a page of the server does it: the cookie is of its origin.
  const entered = yield* Effect.promise(async () => {
    await page.goto(`${at.address}/login`)
    return page.evaluate(
      ({ password, username }) =>
        fetch("/login", {
          method: "POST",
          headers: { "content-type": "application/json", "x-csrf": "1" },
          body: JSON.stringify({ username, password, session: "cookie" })
        }).then(({ status }) => status),
      { username: email, password: PASSWORD }
    )
  })
  assert.strictEqual(entered, 200)
  const token = String(login.body["access_token"])
  return {
    ...at,
    id: String(made.body["id"]),
    token,
    /** Writes a question, and sends it. */
    ask: (content: string) =>
      Effect.promise(async () => {
        await page.getByLabel("Your question").fill(content)
        await page.keyboard.press("Enter")
      }),
    /** Waits until nothing is under way, and the last answer can be asked again. */
    answered: Effect.promise(() => page.getByRole("button", { name: "Ask again" }).waitFor()),
    /** Waits for one of {@link words} in the last answer. */
    says: (word: number) =>
      Effect.promise(() =>
        page
          .locator(".answer-text")
          .filter({ hasText: new RegExp(`\\bw${word}\\b`, "u") })
          .last()
          .waitFor()
      ),
    /** The last answer as it is on the page, its spaces as one. */
    shown: () => Effect.promise(async () => spaced(await page.locator(".answer-text").last().innerText())),
    /** The user's messages at the server, newest first. */
    messages: Effect.gen(function* () {
      const { body } = yield* send("GET", "/messages", { token })
      return Array.isArray(body["data"]) ? body["data"].map((each): Record<string, unknown> => Object(each)) : []
    })
  }
})

export const spaced = (text: unknown): string => String(text).replace(/\s+/gu, " ").trim()

/** A question that the mock answers with numbered words, one every `delay` milliseconds. */
export const words = (count: number, delay: number): string =>
  `[[mock ${JSON.stringify({ say: Array.from({ length: count }, (_, n) => `w${n + 1} `), delay })}]]`

/** A way to a server that can be cut: what is open breaks, and nothing is let through until it is mended. */
export const way = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly port: number
      readonly cut: () => void
      readonly mend: () => void
      readonly close: () => void
    }>((resume) => {
      let isCut = false
      const sockets = new Set<Socket>()
      const breakAll = () => {
        for (const socket of sockets) socket.resetAndDestroy()
        sockets.clear()
      }
      const server = createServer((near) => {
        near.on("error", () => {})
        if (isCut) return void near.resetAndDestroy()
        const far = connect(port, "127.0.0.1")
        far.on("error", () => near.destroy())
        sockets.add(near).add(far)
        near.on("close", () => far.destroy())
        far.on("close", () => near.destroy())
        near.pipe(far).pipe(near)
      }).listen(0, "localhost", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            cut: () => {
              isCut = true
              breakAll()
            },
            mend: () => {
              isCut = false
            },
            close: () => {
              breakAll()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )
