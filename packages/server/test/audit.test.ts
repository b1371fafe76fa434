import { assert, layer } from "@effect/vitest"
import type { AuditEvent } from "@llm-saas/domain/AuditEvent"
import * as Databases from "@llm-saas/database/backup/Databases"
import { createClient } from "@llm-saas/client"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running } from "./Running.ts"

const execute = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

type Event = typeof AuditEvent.Encoded
const eventsOf = ({ body }: Answer): ReadonlyArray<Event> => Object(body["data"])

/** Events of an admin's tenant. */
const look = Effect.fnUntraced(function* (who: Person, search: Record<string, string> = {}, tenant = who.tenant) {
  const { send } = yield* Running
  return yield* send("GET", `/tenants/${tenant}/audit?${new URLSearchParams(search).toString()}`, { token: who.token })
})

const many = (tenant: string, count: number) =>
  execute(
    `insert into app.audit_events (tenant_id, id, action, target_kind, target_id, detail)
     select '${tenant}', auth.uuid_v7(), 'test.bulk', 'user', gen_random_uuid(), '{"note": "${"x".repeat(200)}"}'
     from generate_series(1, ${count})`
  )

layer(Running.with({ DATABASE_POOL_SIZE: "1" }), { timeout: "120 seconds" })("the audit log", (it) => {
  it.effect("says who did what to whom and when, newest first, and it is found by each of these", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const user = yield* signUp(send, admin.tenant)
      const key = yield* send("POST", "/keys", { token: admin.token, json: { name: "bot", scopes: ["admin"] } })
      const keyId = String(key.body["id"])
      const bot = { token: String(key.body["key"]), json: { role: "admin" } }
      yield* send("PATCH", `/admin/users/${user.id}`, bot)
      const all = eventsOf(yield* look(admin))
      assert.deepStrictEqual(
        all.map(({ type }) => type),
        [
          "user.changed",
          "key.created",
          "login.succeeded",
          "user.registered",
          "login.succeeded",
          "user.registered",
          "tenant.created"
        ]
      )
      const [changed, made, login] = all
      const [{ email }] = [...(yield* execute(`select email from app.users where id = '${admin.id}'`))] as [
        { email: string }
      ]
      assert.deepStrictEqual(
        { ...changed, id: "", at: "", request_id: "" },
        {
          id: "",
          at: "",
          type: "user.changed",
          actor: { kind: "user", id: admin.id, email, name: null, key: { id: keyId, name: "bot" } },
          subject: { kind: "user", id: user.id, name: login?.actor.email ?? "" },
          request_id: "",
          address: null,
          details: { role: "admin" }
        }
      )
      assert.match(changed?.request_id ?? "", /^[\w-]{8,}$/u)
      assert.deepStrictEqual(made?.subject, { kind: "key", id: keyId, name: "bot" })
      assert.strictEqual(all.at(-1)?.actor.kind, "nobody")
      assert.notInclude(JSON.stringify(all), bot.token)

      const found = (search: Record<string, string>) =>
        Effect.map(look(admin, search), (answer) => eventsOf(answer).map(({ id }) => id))
      const those = (is: (event: Event) => boolean) => all.flatMap((event) => (is(event) ? [event.id] : []))
      const byType = (start: string) => those(({ type }) => type.startsWith(start))
      assert.deepStrictEqual(yield* found({ type: "user." }), byType("user."))
      assert.deepStrictEqual(yield* found({ type: "user.registered" }), byType("user.registered"))
      assert.deepStrictEqual(yield* found({ type: "user" }), [])
      assert.deepStrictEqual(
        yield* found({ actor: user.id.toUpperCase() }),
        those(({ actor }) => actor.id === user.id)
      )
      assert.deepStrictEqual(yield* found({ actor: keyId.toUpperCase() }), [changed?.id ?? ""])
      assert.deepStrictEqual(
        yield* found({ subject: user.id }),
        those(({ subject }) => subject?.id === user.id)
      )
      const moment = made?.at ?? ""
      assert.deepStrictEqual(
        yield* found({ from: moment }),
        those(({ at }) => at >= moment)
      )
      const after = new Date(Date.parse(moment) + 1).toISOString()
      assert.deepStrictEqual(
        yield* found({ to: after }),
        those(({ at }) => at < after)
      )
      assert.deepStrictEqual(yield* found({ from: after, to: moment }), [])
      assert.deepStrictEqual(yield* found({ from: "2999-01-01T00:00:00Z" }), [])
      assert.deepStrictEqual(yield* found({ from: "9999-12-31T23:59:59Z" }), [])
      assert.deepStrictEqual(yield* found({ to: "1000-01-01T00:00:00Z" }), [])
      for (const search of [
        { type: "user.%" },
        { type: "." },
        { actor: "me" },
        { from: "yesterday" },
        // In the year 10000 in UTC.
        { from: "9999-12-31T23:59:59-00:01" },
        { to: "9999-12-31T23:59:59-12:00" },
        { limit: "101" }
      ])
        assert.strictEqual((yield* look(admin, search)).status, 400, JSON.stringify(search))

      // Page by page the same.
      const paged: Array<string> = []
      let cursor = ""
      do {
        const page = yield* look(admin, { limit: "2", ...(cursor === "" ? {} : { cursor }) })
        paged.push(...eventsOf(page).map(({ id }) => id))
        cursor = String(page.body["next_cursor"] ?? "")
      } while (cursor !== "")
      assert.deepStrictEqual(
        paged,
        those(() => true)
      )
    })
  )

  it.effect("shows where a session was seen that an event is about", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const [{ email }] = [...(yield* execute(`select email from app.users where id = '${admin.id}'`))] as [
        { email: string }
      ]
      yield* send("POST", "/login", { json: { username: email, password: "password123", session: true } })
      const [begun] = eventsOf(yield* look(admin, { type: "session.begun" }))
      assert.deepStrictEqual([begun?.address, begun?.subject?.kind], ["127.0.0.1", "session"])
    })
  )

  it.effect("is its tenant's admins' alone: another tenant's id answers like a random one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [admin, stranger] = [yield* signUp(send), yield* signUp(send)]
      const user = yield* signUp(send, admin.tenant)
      const chat = yield* send("POST", "/keys", { token: admin.token, json: { name: "bot", scopes: ["chat"] } })
      for (const path of ["audit", "audit/export"]) {
        const said = (token: string, tenant: string) =>
          Effect.map(send("GET", `/tenants/${tenant}/${path}`, { token }), ({ body, status }) => ({
            ...body,
            status,
            request_id: ""
          }))
        const foreign = yield* said(stranger.token, admin.tenant)
        assert.strictEqual(foreign.status, 404)
        assert.deepStrictEqual(foreign, yield* said(stranger.token, randomUUID()))
        assert.strictEqual((yield* said(user.token, admin.tenant)).status, 403)
        assert.strictEqual((yield* said(user.token, stranger.tenant)).status, 403)
        assert.strictEqual((yield* said(String(chat.body["key"]), admin.tenant)).status, 403)
        assert.strictEqual((yield* said("nonsense", admin.tenant)).status, 401)
      }
      // Whatever is asked for: no event of another tenant.
      for (const search of [{ subject: admin.id }, { actor: admin.id }, { type: "tenant." }])
        for (const event of eventsOf(yield* look(stranger, search)))
          assert.notInclude(JSON.stringify(event), admin.tenant)
    })
  )

  it.effect("few of many are found page by page, each of which looks at so many and no more", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      yield* many(admin.tenant, 12_000)
      const pages: Array<number> = []
      const types: Array<string> = []
      let cursor = ""
      do {
        const page = yield* look(admin, { type: "tenant.", ...(cursor === "" ? {} : { cursor }) })
        const events = eventsOf(page)
        pages.push(events.length)
        types.push(...events.map(({ type }) => type))
        cursor = String(page.body["next_cursor"] ?? "")
      } while (cursor !== "")
      assert.deepStrictEqual([pages, types], [[0, 0, 1], ["tenant.created"]])
    })
  )

  it.effect("is exported whole, as lines or as a table, and no connection is held for who reads slowly", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const admin = yield* signUp(send)
      yield* many(admin.tenant, 12_000)
      yield* Effect.promise(async () => {
        const client = createClient({ url: `http://127.0.0.1:${port}`, token: admin.token })
        const slow = await client.audit.export(admin.tenant)
        assert.strictEqual(slow.headers.get("content-type"), "application/x-ndjson")
        // There is one connection, and four megabytes that are not read.
        assert.strictEqual((await client.me()).id, admin.id)
        const lines = (await slow.text()).trimEnd().split("\n")
        const events: ReadonlyArray<Event> = lines.map((line) => JSON.parse(line))
        assert.lengthOf(events, 12_003)
        assert.strictEqual(new Set(events.map(({ id }) => id)).size, 12_003)
        assert.deepStrictEqual(
          events.map(({ id }) => id),
          events
            .map(({ id }) => id)
            .toSorted()
            .toReversed()
        )
        assert.strictEqual(events.at(-1)?.type, "tenant.created")

        const table = await client.audit.export(admin.tenant, { format: "csv", type: "user." })
        assert.strictEqual(table.headers.get("content-type"), "text/csv; charset=utf-8")
        const [head = "", row = "", ...rest] = (await table.text()).split("\r\n")
        assert.strictEqual(head.split(",").length, 14)
        assert.match(row, new RegExp(`,user\\.registered,user,${admin.id},[^,]+@acme\\.test,,,user,${admin.id},`, "u"))
        assert.include(row, '"{""role"":""admin""}"')
        assert.deepStrictEqual(rest, [""])
        const page = await client.audit.list(admin.tenant, { type: "test.", limit: 1 })
        assert.deepStrictEqual([page.data[0]?.type, page.data.length], ["test.bulk", 1])
      })
    })
  )
})
