import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { signUp } from "./People.ts"
import { spawned } from "./Process.ts"
import { Running } from "./Running.ts"

// `npm run operator -- …`, against a running server.

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))
const DIRECTORY = mkdtempSync(join(tmpdir(), "llm-saas-test-"))

const operator = Effect.fnUntraced(function* (args: ReadonlyArray<string>, more: Record<string, string> = {}) {
  const { adminUrl } = yield* TestDatabase
  const { port } = yield* Running
  const variables = {
    DATABASE_ADMIN_URL: Redacted.value(adminUrl),
    OPERATOR_URL: `http://127.0.0.1:${port}/`,
    ...more
  }
  const command = yield* spawned(process.execPath, [CLI, "operator", ...args], variables, DIRECTORY)
  const { code } = yield* command.ended
  return { code, ...command.output() }
})

layer(Running.layer, { timeout: "240 seconds" })("the operator's command", (it) => {
  it.effect("makes tokens, and does with one what the operator does", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const without = yield* operator(["tenants", "list"])
      assert.deepStrictEqual([without.code, without.stdout], [1, ""])
      assert.match(without.stderr, /^OPERATOR_TOKEN is missing/u)
      const made = yield* operator(["token", "create", "--name", "on call", "--days", "2"])
      assert.match(made.stdout, /^op-[0-9A-Za-z]{49}\n$/u)
      const OPERATOR_TOKEN = made.stdout.trim()
      assert.notInclude(made.stderr, OPERATOR_TOKEN)
      const one = (args: ReadonlyArray<string>) =>
        Effect.map(operator([...args, "--json"], { OPERATOR_TOKEN }), ({ code, stderr, stdout }) => {
          assert.deepStrictEqual([code, stderr], [0, ""], args.join(" "))
          const rows: ReadonlyArray<Record<string, unknown>> = stdout
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => JSON.parse(line))
          return rows
        })

      writeFileSync(join(DIRECTORY, "plan.json"), JSON.stringify({ name: "Small", markup: "1.1" }))
      const [plan] = yield* one(["plans", "create", "plan.json"])
      const [tenant] = yield* one(["tenants", "create", "--name", "Acme", "--plan", String(plan?.["id"])])
      assert.deepInclude(tenant, { name: "Acme", plan: "Small", markup: "1.1" })
      const id = String(tenant?.["id"])
      const user = yield* signUp(send, id)
      yield* send("POST", "/messages", { token: user.token, json: { content: "xyzzy" } })
      const list = yield* operator(["tenants", "list", "--status", "active"], { OPERATOR_TOKEN })
      assert.match(list.stdout, new RegExp(`^id +name +status .*\\n${id} +Acme +active +Small +1.1 +1 `, "u"))
      assert.deepInclude((yield* one(["usage", "--tenant", id]))[0], { tenant_id: id, requests: 1 })
      const [price] = yield* one("prices add --provider house --model m --unit input --amount 1.5".split(" "))
      assert.deepInclude(price, { provider: "house", amount: "1.5", own: true })
      assert.strictEqual((yield* one(["prices", "list", "--own", "--provider", "house"])).length, 1)
      assert.strictEqual((yield* operator(["prices", "end", String(price?.["id"])], { OPERATOR_TOKEN })).code, 0)
      assert.deepInclude((yield* one(["providers"]))[0], { provider: "mock", breaker: "closed" })
      assert.deepInclude((yield* one(["tenants", "suspend", id]))[0], { status: "suspended" })
      assert.deepInclude((yield* one(["tenants", "resume", id]))[0], { status: "active" })
      assert.deepInclude((yield* one(["tenants", "sso-optional", id]))[0], { sso_required: false })

      const { code, stdout } = yield* operator(["tenants", "export", id])
      assert.strictEqual(code, 0)
      const rows: ReadonlyArray<{ readonly table: string; readonly row: Record<string, unknown> }> = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      const message = rows.find(({ table }) => table === "messages")
      assert.deepInclude(message?.row, { tenant_id: id, user_id: user.id, content: "xyzzy" })
      assert.includeMembers(
        rows.map(({ table }) => table),
        ["tenants", "users", "messages", "generations", "audit_events", "ledger"]
      )
      assert.notMatch(stdout, /argon2|secret_hash|markup|provider_amount|margin|lease_owner/u)

      const refused = yield* operator(["tenants", "erase", id, "--name", "Acm"], { OPERATOR_TOKEN })
      assert.deepStrictEqual([refused.code, refused.stderr], [1, "There is no tenant with this id.\n"])
      assert.deepInclude((yield* one(["tenants", "erase", id, "--name", "Acme"]))[0], { tenant_id: id })
      assert.deepInclude((yield* one(["tenants", "receipt", id]))[0], { tenant_id: id })

      const events = yield* one(["events", "--tenant", id])
      assert.includeMembers(
        events.map(({ action }) => action),
        ["tenant.created", "tenant.plan", "tenant.suspended", "tenant.resumed", "tenant.exported", "tenant.erased"]
      )
      const listed = yield* operator(["token", "list", "--json"])
      const token: Record<string, unknown> = JSON.parse(listed.stdout.split("\n")[0] ?? "")
      assert.deepInclude(token, { name: "on call", revoked_at: null })
      assert.strictEqual((yield* operator(["token", "revoke", String(token["id"])])).code, 0)
      const after = yield* operator(["tenants", "list"], { OPERATOR_TOKEN })
      assert.match(after.stderr, /for the operator of the installation/u)
    }).pipe(Effect.scoped)
  )
})
