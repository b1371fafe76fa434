import { assert, layer } from "@effect/vitest"
import { createClient, LlmSaasError, type SessionStore } from "@llm-saas/client"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { Running } from "../Running.ts"
import { codeAt } from "../Totp.ts"

// Sessions by the client without Effect, on a running server.

const PASSWORD = "a long enough one"

/** What tabs share. */
const shared = (): SessionStore & { readonly saved: Array<string | undefined> } => {
  const saved: Array<string | undefined> = []
  return { saved, load: () => saved.at(-1), save: (token) => void saved.push(token) }
}

/** A client, and the paths that it asked for. */
const tab = (port: number, sessionStore?: SessionStore) => {
  const asked: Array<string> = []
  const client = createClient({
    url: `http://127.0.0.1:${port}`,
    ...(sessionStore === undefined ? {} : { sessionStore }),
    fetch: (input, init) => {
      asked.push(new URL(String(input)).pathname)
      return fetch(input, init)
    }
  })
  return { client, asked }
}

const account = async (port: number) => {
  const { client } = tab(port)
  const { id } = await client.tenants.create({ name: "Acme" })
  const email = `${randomUUID()}@acme.test`
  await client.register({ email, password: PASSWORD, tenant_id: id })
  return { email, password: PASSWORD, session: true }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "fine",
    (error: unknown) => (error instanceof LlmSaasError ? error.code : String(error))
  )

layer(Running.layer, { timeout: "60 seconds" })("a client with a session", (it) => {
  it.effect(
    "gets another access token where one is refused, once for all requests that wait, and sends them again",
    () =>
      Effect.gen(function* () {
        const { port } = yield* Running
        yield* Effect.promise(async () => {
          const { asked, client } = tab(port)
          await client.login(await account(port))
          client.token = "expired"
          asked.length = 0
          const all = await Promise.all([client.me(), client.me(), client.sessions.list(), client.me()])
          assert.strictEqual(all.length, 4)
          assert.strictEqual(asked.filter((path) => path === "/token").length, 1)
        })
      })
  )

  it.effect("in a cookie begins it by a second step too, which shows that the page is the server's", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { email, password } = yield* Effect.promise(() => account(port))
      const first = yield* send("POST", "/login", { json: { username: email, password } })
      const token = String(first.body["access_token"])
      const { body } = yield* send("GET", "/me", { token })
      yield* send("PUT", `/tenants/${String(body["tenant_id"])}/login-policy`, {
        token,
        json: { second_factor: "everybody", second_factor_after_sso: false, tenant_switch: true }
      })
      yield* Effect.promise(async () => {
        // A page of the server: its browser says so, and keeps the cookie.
        const cookies: Array<string> = []
        const client = createClient({
          url: `http://127.0.0.1:${port}`,
          fetch: async (input, init) => {
            const headers = new Headers(init?.headers)
            headers.set("origin", `http://127.0.0.1:${port}`)
            const answer = await fetch(input, { ...init, headers })
            cookies.push(...answer.headers.getSetCookie())
            return answer
          }
        })
        const stopped: unknown = await client.login({ email, password, session: "cookie" }).catch((error) => error)
        const problem = stopped instanceof LlmSaasError ? stopped.problem : undefined
        const challenge = String(Reflect.get(Object(problem), "challenge"))
        const { secret } = await client.enrolTotp(challenge)
        const answer = await client.secondFactor({ challenge, code: codeAt(secret) })
        assert.notProperty(answer, "refresh_token")
        assert.match(cookies.join("\n"), /^__Host-refresh=rt_/mu)
        assert.strictEqual((await client.me()).email, email)
      })
    })
  )

  it.effect("shares it with other tabs: whichever renews, none ends it", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const store = shared()
        const [one, two] = [tab(port, store), tab(port, store)]
        await one.client.login(await account(port))
        // The second has no access token of its own, and finds the session in the store.
        assert.strictEqual((await two.client.me()).role, "admin")
        for (let round = 0; round < 5; round++) {
          one.client.token = "expired"
          two.client.token = "expired"
          await Promise.all([one.client.me(), two.client.me()])
        }
        one.client.token = "expired"
        await one.client.me()
        two.client.token = "expired"
        await two.client.me()
        assert.lengthOf((await one.client.sessions.list()).data, 1)
      })
    })
  )

  it.effect("ends where another login took its place, and never asks as the other user", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const store = shared()
        let replaced = 0
        const first = createClient({
          url: `http://127.0.0.1:${port}`,
          sessionStore: store,
          onSessionReplaced: () => void replaced++
        })
        const second = tab(port, store).client
        await first.login(await account(port))
        const other = await account(port)
        await second.login(other)
        first.token = "expired"
        assert.deepStrictEqual(await Promise.all([codeOf(first.me()), codeOf(first.me())]), [
          "unauthenticated",
          "unauthenticated"
        ])
        assert.strictEqual(replaced, 1)
        assert.isUndefined(first.token)
        // The other goes on, with what the first was given for it.
        second.token = "expired"
        assert.strictEqual((await second.me()).email, other.email)
        // A new page finds the session that is there now.
        const third = tab(port, store).client
        await third.renew()
        assert.strictEqual((await third.me()).email, other.email)
      })
    })
  )

  it.effect("goes on in another tenant of the person, in the cookie of the page", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const cookies: Array<string> = []
        const page = createClient({
          url: `http://127.0.0.1:${port}`,
          fetch: async (input, init) => {
            const headers = new Headers(init?.headers)
            headers.set("origin", `http://127.0.0.1:${port}`)
            const answer = await fetch(input, { ...init, headers })
            cookies.push(...answer.headers.getSetCookie())
            return answer
          }
        })
        const mine = await account(port)
        const away = await page.tenants.create({ name: "Away" })
        await page.register({ email: mine.email, password: "another long one", tenant_id: away.id })
        await page.login({ email: mine.email, password: mine.password, session: "cookie" })
        await page.memberships.add({ tenant_id: away.id, password: "another long one" })
        cookies.length = 0
        const answer = await page.memberships.enter(away.id, { cookie: true })
        assert.notProperty(answer, "refresh_token")
        assert.match(cookies.join("\n"), /^__Host-refresh=rt_/mu)
        assert.strictEqual((await page.me()).tenant_id, away.id)
      })
    })
  )

  it.effect("goes on after a lost answer, and after another password", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        let lose = true
        const client = createClient({
          url: `http://127.0.0.1:${port}`,
          fetch: async (input, init) => {
            const answer = await fetch(input, init)
            if (lose && String(input).endsWith("/token")) {
              lose = false
              throw new TypeError("the answer was lost")
            }
            return answer
          }
        })
        await client.login(await account(port))
        client.token = "expired"
        await client.me()
        assert.isFalse(lose)
        await client.changePassword({ current_password: PASSWORD, new_password: "another long one" })
        await client.me()
        client.token = "expired"
        await client.me()
      })
    })
  )

  it.effect("forgets it with the logout, and where it was ended elsewhere", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const who = await account(port)
        const [here, there] = [shared(), shared()]
        const [one, two] = [tab(port, here).client, tab(port, there).client]
        await one.login(who)
        await two.login(who)
        await one.sessions.endOthers()
        assert.strictEqual(await codeOf(two.me()), "unauthenticated")
        assert.isUndefined(there.load())
        assert.strictEqual(await codeOf(two.renew()), "invalid_grant")
        await one.logout()
        assert.isUndefined(one.token)
        assert.isUndefined(here.load())
        assert.strictEqual(await codeOf(one.me()), "unauthenticated")
      })
    })
  )

  it.effect("is of the last login alone: neither an earlier session nor its renewal under way comes back", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const [first, second] = [await account(port), await account(port)]
        let release = () => {}
        const held = new Promise<void>((resolve) => (release = resolve))
        const store = shared()
        const client = createClient({
          url: `http://127.0.0.1:${port}`,
          sessionStore: store,
          fetch: async (input, init) => {
            const response = await fetch(input, init)
            if (String(input).endsWith("/token")) await held
            return response
          }
        })
        await client.login(first)
        const renewal = client.renew()
        const { access_token } = await client.login({ ...second, session: false })
        release()
        await renewal
        assert.deepStrictEqual([client.token, store.load()], [access_token, undefined])
        client.token = "expired"
        assert.strictEqual(await codeOf(client.me()), "unauthenticated")
        const again = await client.login(second)
        assert.strictEqual((await client.me()).email, second.email)
        assert.strictEqual(store.load(), again.refresh_token)
      })
    })
  )

  it.effect("waits for a renewal no longer than the request's signal says", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const client = createClient({
          url: `http://127.0.0.1:${port}`,
          fetch: (input, init) => (String(input).endsWith("/token") ? new Promise(() => {}) : fetch(input, init))
        })
        await client.login(await account(port))
        client.token = "expired"
        const reason = new Error("no longer")
        const abort = new AbortController()
        const asked = client.me({ signal: abort.signal })
        setTimeout(() => abort.abort(reason), 50)
        assert.strictEqual(await codeOf(asked), String(reason))
      })
    })
  )
})
