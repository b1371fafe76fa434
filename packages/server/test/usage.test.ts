import { assert, layer } from "@effect/vitest"
import { DEFAULT_PREFIX, roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { checkLedger } from "@llm-saas/database/ledger/LedgerCheck"
import { createClient } from "@llm-saas/client/plain/Client"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Redacted } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Person, signUp } from "./People.ts"
import { spawned } from "./Process.ts"
import { Running, type Send } from "./Running.ts"

// What was used, over HTTP, on a running server with a database of its own.

const SERVER = Running.with({
  MOCK_TOKENS: "3",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  LLM_PRICE_INPUT_PER_MILLION: "2.5",
  LLM_PRICE_OUTPUT_PER_MILLION: "10",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
})
const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const ask = (send: Send, { token }: Pick<Person, "token">) =>
  Effect.map(send("POST", "/messages", { token, json: { content: "Why is the sky blue?" } }), ({ status }) =>
    assert.strictEqual(status, 201)
  )

const text = (port: number, path: string, token: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}`, ...headers }
    })
    return { status: response.status, headers: response.headers, body: await response.text() }
  })

/** An admin who asked once, and a member who asked twice, once of it with a key. */
const office = Effect.fnUntraced(function* (send: Send) {
  const admin = yield* signUp(send)
  const member = yield* signUp(send, admin.tenant)
  const { body } = yield* send("POST", "/keys", {
    token: member.token,
    json: { name: "k", scopes: ["chat", "usage:read"] }
  })
  const key = { id: String(body["id"]), token: String(body["key"]) }
  yield* ask(send, admin)
  yield* ask(send, member)
  yield* ask(send, key)
  return { admin, member, key }
})

const today = () => new Date().toISOString().slice(0, 10)

layer(SERVER, OPTIONS)("GET /usage", (it) => {
  it.effect("has what was used a moment ago: one's own, and all of the tenant's for its admins", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, key, member } = yield* office(send)
      const mine = yield* send("GET", "/usage", { token: member.token })
      assert.strictEqual(mine.status, 200)
      const [row] = mine.body["data"] as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(row, { requests: 2, errors: 0, unpriced: 0 })
      assert.match(String(row?.["cost_usd"]), /^0\.\d{2,}$/u)
      assert.hasAllKeys(row?.["units"], ["input", "output"])
      const all = yield* send("GET", `/usage?scope=tenant&group_by=user,key,day,door&from=${today()}`, {
        token: admin.token
      })
      const rows = all.body["data"] as ReadonlyArray<Record<string, unknown>>
      assert.sameDeepMembers(
        rows.map(({ day, door, key_id, requests, user_id }) => [day, door, key_id, requests, user_id]),
        [
          [today(), "messages", null, 1, admin.id],
          [today(), "messages", null, 1, member.id],
          [today(), "messages", key.id, 1, member.id]
        ]
      )
      assert.strictEqual((yield* send("GET", "/usage?scope=tenant", { token: member.token })).status, 403)
      assert.strictEqual(
        (yield* send("GET", "/usage?scope=tenant", { token: key.token })).body["code"],
        "insufficient_scope"
      )
      assert.strictEqual((yield* send("GET", "/usage?group_by=day", { token: key.token })).status, 200)
      const stranger = yield* signUp(send)
      const theirs = yield* send("GET", "/usage?scope=tenant&group_by=user", { token: stranger.token })
      assert.deepStrictEqual(theirs.body, { data: [], next_cursor: null })
    })
  )

  it.effect("goes on behind a page with its cursor, and refuses one of another report", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin } = yield* office(send)
      const { token } = admin
      const seen: Array<unknown> = []
      let cursor = ""
      for (;;) {
        const { body } = yield* send("GET", `/usage?scope=tenant&group_by=user,key&limit=1${cursor}`, { token })
        const rows = body["data"] as ReadonlyArray<Record<string, unknown>>
        seen.push(...rows.map(({ key_id, user_id }) => `${String(user_id)} ${String(key_id)}`))
        if (body["next_cursor"] === null) break
        cursor = `&cursor=${String(body["next_cursor"])}`
      }
      assert.strictEqual(seen.length, 3)
      assert.strictEqual(new Set(seen).size, 3)
      for (const path of [
        `/usage?group_by=user${cursor}`,
        "/usage?group_by=user&cursor=WyJ4Il0",
        "/usage?group_by=user,user",
        "/usage?group_by=color",
        "/usage?from=2026-02-30",
        "/usage?limit=1001"
      ])
        assert.strictEqual((yield* send("GET", path, { token })).body["code"], "invalid_request", path)
    })
  )

  it.effect("is a table for who asks for one, and names the next page in a header", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { admin } = yield* office(send)
      const page = yield* text(port, "/usage?scope=tenant&group_by=user&limit=1&format=csv", admin.token)
      assert.strictEqual(page.headers.get("content-type"), "text/csv; charset=utf-8")
      const [head, first, rest] = page.body.split("\r\n")
      assert.match(head ?? "", /^user_id,requests,errors,unpriced,cost_usd,input,/u)
      assert.match(first ?? "", /^[0-9a-f-]{36},[12],0,0,0\.\d+,\d+,/u)
      assert.strictEqual(rest, "")
      const [, next = ""] = /^<(.*)>; rel="next"$/u.exec(page.headers.get("link") ?? "") ?? []
      const second = yield* text(port, next, admin.token, { accept: "text/csv" })
      assert.strictEqual(second.body.split("\r\n").length, 3)
      assert.notInclude(second.body, (first ?? "").slice(0, 36))
      assert.isNull(second.headers.get("link"))
    })
  )

  it.effect("has each answer in the export, by lines of JSON or as a table, and the books agree", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { admin, key, member } = yield* office(send)
      const own = yield* text(port, "/usage/export", member.token)
      assert.strictEqual(own.headers.get("content-type"), "application/x-ndjson")
      const entries = own.body
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      assert.deepStrictEqual(
        entries.map(({ key_id, user_id }) => [user_id, key_id]),
        [
          [member.id, null],
          [member.id, key.id]
        ]
      )
      assert.notMatch(own.body, /price|margin|markup|provider_amount/u)
      const all = yield* text(port, "/usage/export?scope=tenant&format=csv", admin.token)
      assert.strictEqual(all.body.split("\r\n").length, 5)
      assert.strictEqual((yield* text(port, "/usage/export?scope=tenant", member.token)).status, 403)
      const { adminUrl } = yield* TestDatabase
      const compared = yield* Effect.provideService(checkLedger(adminUrl), Roles, roleNames(DEFAULT_PREFIX))
      assert.deepStrictEqual(
        compared.flatMap(({ first }) => first),
        []
      )
    })
  )

  it.effect("is compared with the ledger by a command, which fails where they differ, and builds the sums again", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const { adminUrl } = yield* TestDatabase
      const check = (...flags: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const directory = mkdtempSync(join(tmpdir(), "llm-saas-test-"))
          const variables = { DATABASE_ADMIN_URL: Redacted.value(adminUrl) }
          const command = yield* spawned(process.execPath, [CLI, "ledger:check", ...flags], variables, directory)
          const { code } = yield* command.ended
          return { code, ...command.output() }
        })
      const right = yield* check("--rebuild")
      assert.deepStrictEqual([right.code, right.stdout.match(/: the same$/gmu)?.length], [0, 4])
      yield* Databases.execute(
        adminUrl,
        `update app.usage_days set requests = requests + 1 where user_id = '${member.id}' and grain = 'user'`
      )
      const wrong = yield* check()
      assert.strictEqual(wrong.code, 1)
      assert.match(wrong.stdout, new RegExp(`user ${member.id}, .* answers is 2, and 1 in the ledger`, "u"))
      assert.match(wrong.stderr, /2 differences in the books/u)
      assert.strictEqual((yield* check("--rebuild")).code, 0)
    })
  )

  it.effect("is in the client", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { member } = yield* office(send)
      const client = createClient({ url: `http://127.0.0.1:${port}`, token: member.token })
      const { data } = yield* Effect.promise(() => client.usage.report({ group_by: ["day", "model"] }))
      assert.deepInclude(data[0], { day: today(), requests: 2 })
      const file = yield* Effect.promise(async () => (await client.usage.export({ format: "csv" })).text())
      assert.strictEqual(file.split("\r\n").length, 4)
    })
  )
})
