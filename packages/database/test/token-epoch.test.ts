import { assert, it } from "@effect/vitest"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { rollback } from "@llm-saas/database/migrations/Rollback"
import * as TestDatabase from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { open, stateOf } from "./Session.ts"

it.effect(
  "a database from before there were epochs keeps its tokens, but for users who have changed their password",
  () =>
    Effect.gen(function* () {
      const { adminUrl, apiUrl } = yield* TestDatabase.migrated
      const admin = yield* open(adminUrl)
      const api = yield* open(apiUrl)
      const [tenant, calm, changed] = [randomUUID(), randomUUID(), randomUUID()]
      yield* api.rows("select * from auth.create_tenant($1, 'Acme', 'open', 'request')", [tenant])
      for (const id of [calm, changed])
        yield* api.rows("select * from auth.register($1, $2, $3, '$argon2id$x', 'request')", [
          tenant,
          id,
          `${id}@x.test`
        ])
      // As it was at version 6, except functions, which are rebuilt.
      while ((yield* status(adminUrl)).version > 6) yield* rollback(adminUrl, { yes: true, force: true })
      yield* admin.rows("update app.users set tokens_valid_after = now() where id = $1", [changed])
      yield* migrate(adminUrl)
      yield* api.rows("discard all")
      const enter = (user: string, epoch: number) =>
        stateOf(
          api
            .rows("begin")
            .pipe(
              Effect.andThen(api.rows("select role from app.enter($1, $2, $3, 'user')", [tenant, user, epoch])),
              Effect.ensuring(Effect.ignore(api.rows("rollback")))
            )
        )
      assert.strictEqual(yield* enter(calm, 0), "fine")
      assert.strictEqual(yield* enter(changed, 0), "LL401")
      assert.strictEqual(yield* enter(changed, 1), "fine")
    }).pipe(Effect.scoped)
)
