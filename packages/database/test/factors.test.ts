import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { open, stateOf } from "./Session.ts"

layer(TestDatabase.layer)("a second factor in the database", (it) => {
  it.effect("keeps the key that it was added with: its user and admins cannot put another one in its place", () =>
    Effect.gen(function* () {
      const { adminUrl, apiUrl } = yield* TestDatabase
      const [admin, api] = [yield* open(adminUrl), yield* open(apiUrl)]
      const [tenant, boss, user, id] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
      yield* admin.rows("insert into app.tenants (id, name) values ($1, 'Acme')", [tenant])
      yield* admin.rows(
        `insert into app.users (tenant_id, id, email, role)
         values ($1, $2, 'boss@example.com', 'admin'), ($1, $3, 'user@example.com', 'user')`,
        [tenant, boss, user]
      )
      yield* admin.rows(
        `insert into app.factors (tenant_id, id, user_id, kind, name, confirmed_at, credential_id, public_key, sign_count, transports, backed_up)
         values ($1, $2, $3, 'passkey', 'laptop', now(), '\\x01', '\\x02', 0, '{}', false)`,
        [tenant, id, user]
      )
      const tries = (as: string, needs: string, change: string) =>
        Effect.gen(function* () {
          yield* api.rows("begin")
          yield* api.rows("select app.enter($1, $2, 0, $3)", [tenant, as, needs])
          const state = yield* stateOf(api.rows(`update app.factors set ${change} where id = $1`, [id]))
          yield* api.rows("rollback")
          return state
        })
      for (const [as, needs] of [
        [user, "user"],
        [boss, "admin"]
      ] as const)
        for (const change of ["public_key = '\\x03'", "credential_id = '\\x03'", "kind = 'totp'", "user_id = user_id"])
          assert.strictEqual(yield* tries(as, needs, change), "42501", `${needs}: ${change}`)
      assert.strictEqual(yield* tries(user, "user", "name = 'desk'"), "fine")
    }).pipe(Effect.scoped)
  )
})
