import { assert, layer } from "@effect/vitest"
import { TenantId } from "@llm-saas/domain/Tenant"
import { ask } from "@llm-saas/client/Answers"
import { Http } from "@llm-saas/client/Http"
import { makeLoginSession } from "@llm-saas/client/LoginSession"
import { Rpc } from "@llm-saas/client/Rpc"
import { createClient } from "@llm-saas/client"
import { Effect, Layer, Redacted, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { linkTo } from "../Links.ts"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"

// A session that the clients with Effect keep fresh by themselves, on a running server.

const PASSWORD = "a long and quiet river"
const QUICK = `[[mock {"tokens": 8, "delay": 0}]]`

const account = Effect.gen(function* () {
  const { send } = yield* Running
  const { tenant, token } = yield* signUp(send)
  const email = `${randomUUID()}@acme.test`
  yield* send("POST", "/admin/users", { token, json: { email, password: PASSWORD } })
  return {
    username: email,
    password: Redacted.make(PASSWORD),
    tenant_id: TenantId.make(tenant),
    session: true
  } as const
})

/** A session, and how often it was renewed. */
const counted = Effect.map(Running, ({ port }) => {
  const asked: Array<string> = []
  const url = `http://127.0.0.1:${port}`
  const session = makeLoginSession({
    url,
    fetch: (input, init) => {
      asked.push(new URL(String(input)).pathname)
      return fetch(input, init)
    }
  })
  return { url, session, renewals: () => asked.filter((path) => path === "/token").length }
})

const LAYERS = { http: Rpc.layerHttp, websocket: Rpc.layerWebSocket }

layer(Running.with({ MOCK_TTFT_MS: "0" }), { timeout: "120 seconds", excludeTestServices: true })(
  "a session of the client with Effect",
  (it) => {
    for (const transport of ["http", "websocket"] as const)
      it.effect(`by ${transport} is renewed when its token is refused, once for all calls, which are made again`, () =>
        Effect.gen(function* () {
          const { renewals, session, url } = yield* counted
          const credentials = yield* account
          yield* Effect.gen(function* () {
            const rpc = yield* Rpc
            assert.strictEqual((yield* Effect.flip(rpc["accounts.me"]()))._tag, "Unauthenticated")
            const answer = yield* Effect.catchTag(rpc["accounts.login"](credentials), "TenantRequired", Effect.die)
            yield* session.begin({ ...answer, access_token: "expired" })
            const all = yield* Effect.all(
              [rpc["accounts.me"](), rpc["sessions.list"]({}), rpc["accounts.me"](), rpc["identities.list"]()],
              { concurrency: "unbounded" }
            )
            assert.strictEqual(all[0].email, credentials.username)
            assert.strictEqual(renewals(), 1)

            const fresh = Redacted.value((yield* session.token) ?? assert.fail("no token"))
            yield* session.begin({ ...answer, ...(yield* session.renew), access_token: "expired" })
            const events = yield* Stream.runCollect(ask({ content: QUICK }))
            assert.strictEqual(events.at(-1)?.type, "end")
            assert.lengthOf((yield* rpc["messages.list"]({})).data, 1)
            assert.notStrictEqual(Redacted.value((yield* session.token) ?? assert.fail("no token")), fresh)
            assert.strictEqual(renewals(), 3)

            // Another refusal than that of the token is the call's own.
            const late = yield* Effect.flip(rpc["loginPolicy.get"]({ id: credentials.tenant_id }))
            assert.strictEqual(late._tag, "Forbidden")
            assert.strictEqual(renewals(), 3)
            yield* session.logout
            assert.strictEqual((yield* Effect.flip(rpc["accounts.me"]()))._tag, "Unauthenticated")
            assert.strictEqual(renewals(), 3)
          }).pipe(Effect.provide(LAYERS[transport]({ url, session })))
        }).pipe(Effect.scoped)
      )

    it.effect("is shared by the HTTP contract and RPC, and renewed before it ends", () =>
      Effect.gen(function* () {
        const { renewals, session, url } = yield* counted
        const credentials = yield* account
        yield* Effect.gen(function* () {
          const [http, rpc] = [yield* Http, yield* Rpc]
          const answer = yield* Effect.catchTag(rpc["accounts.login"](credentials), "TenantRequired", Effect.die)
          yield* session.begin({ ...answer, access_token: "expired" })
          const [mine, calls] = yield* Effect.all([http.accounts.me(), rpc["accounts.me"]()], {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(mine, calls)
          assert.strictEqual(renewals(), 1)
          // Due at once: renewed before the call, whose token would still have been good.
          yield* session.begin({ ...answer, ...(yield* session.renew), expires_in: 0 })
          assert.strictEqual((yield* http.accounts.me()).email, credentials.username)
          assert.strictEqual(renewals(), 3)
          yield* session.logout
          assert.strictEqual((yield* Effect.flip(http.accounts.me()))._tag, "Unauthenticated")
          assert.strictEqual(renewals(), 3)
        }).pipe(Effect.provide(Layer.merge(Http.layer({ url, session }), Rpc.layerHttp({ url, session }))))
      }).pipe(Effect.scoped)
    )

    it.effect("that was ended elsewhere leaves the call's refusal, and is asked for once", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { renewals, session, url } = yield* counted
        const credentials = yield* account
        yield* Effect.gen(function* () {
          const [http, rpc] = [yield* Http, yield* Rpc]
          const answer = yield* Effect.catchTag(rpc["accounts.login"](credentials), "TenantRequired", Effect.die)
          yield* session.begin(answer)
          yield* send("POST", "/logout", { json: { refresh_token: answer.refresh_token } })
          assert.strictEqual((yield* Effect.flip(rpc["accounts.me"]()))._tag, "Unauthenticated")
          assert.strictEqual((yield* Effect.flip(http.accounts.me()))._tag, "Unauthenticated")
          assert.strictEqual(renewals(), 1)
          assert.strictEqual((yield* Effect.flip(session.renew)).code, "invalid_grant")
        }).pipe(Effect.provide(Layer.merge(Http.layer({ url, session }), Rpc.layerWebSocket({ url, session }))))
      }).pipe(Effect.scoped)
    )

    it.effect("of an invitation may be in a cookie, by a page of the server", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { tenant, token } = yield* signUp(send)
        const email = `${randomUUID()}@acme.test`
        yield* send("POST", `/tenants/${tenant}/invitations`, { token, json: { email, role: "user" } })
        const link = yield* linkTo(email)
        yield* Effect.promise(async () => {
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
          const answer = await client.invitations.accept({ token: link, password: PASSWORD, session: "cookie" })
          assert.notProperty(answer, "refresh_token")
          assert.match(cookies.join("\n"), /^__Host-refresh=rt_/mu)
          assert.strictEqual((await client.me()).email, email)
        })
      })
    )
  }
)
