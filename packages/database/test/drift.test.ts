import { assert, layer } from "@effect/vitest"
import { readCatalogueFile } from "@llm-saas/database/catalogue/CatalogueFile"
import { nameOf } from "@llm-saas/database/catalogue/Drift"
import { driftOf } from "@llm-saas/database/catalogue/SchemaRepair"
import { apply, migrate } from "@llm-saas/database/migrations/Migrations"
import { dumpCatalogue } from "@llm-saas/database/migrations/SchemaDump"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { readSqlFiles } from "@llm-saas/database/SqlFiles"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import type { PgConnection } from "@effect/sql-pg"
import { Effect, Exit } from "effect"
import { mutants } from "./Mutants.ts"
import { open } from "./Session.ts"

const SEED = "1"

/** Inspects a mutant's effect, and rolls it back; nothing where PostgreSQL refused the mutant itself. */
const withMutant = <A, E>(connection: PgConnection.PgConnection, sql: string, look: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    yield* rows(connection, "savepoint mutant")
    const made = yield* Effect.exit(rows(connection, `do $mutant$ begin execute $sql$${sql}$sql$; end $mutant$`))
    const seen = Exit.isSuccess(made) ? yield* Effect.exit(look) : undefined
    yield* rows(connection, "rollback to savepoint mutant")
    return seen
  })

const mutating = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  const connection = yield* connect(adminUrl)
  yield* rows(connection, "begin")
  yield* rows(connection, "set local check_function_bodies = off")
  yield* rows(connection, "set local client_min_messages = error")
  const all = yield* mutants(yield* open(adminUrl), SEED)
  return { connection, all, files: yield* readSqlFiles() }
})

/** The result of migrating: repaired, or refused with a reason. */
const migrated = ({ connection, files }: Effect.Success<typeof mutating>, sql: string) =>
  Effect.map(withMutant(connection, sql, apply(connection, files, { foreign: "refuse" })), (done) =>
    done === undefined ? "not a mutant" : Exit.isSuccess(done) ? "mended" : String(done.cause)
  )

/** A program cannot know the intention or the owner of these: it reports them, and changes nothing. */
const NOT_MENDED =
  /^(?:columns|constraints, indexes and triggers|tables|strangers|memberships|settings of roles|things added .*|default privileges)$/u

layer(TestDatabase.layerAlone, { timeout: "300 seconds" })("the catalogue", (it) => {
  it.effect("is what sql/catalogue.tsv says; after a change on purpose: npm run db:schema", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const made = yield* dumpCatalogue(adminUrl)
      const file = yield* readCatalogueFile()
      const lines = (all: typeof made.facts) => all.map((fact) => Object.values(fact).join("\t")).sort()
      assert.deepStrictEqual(lines(file.facts), lines(made.facts))
      assert.strictEqual(file.content, made.content)
    })
  )

  it.effect(
    "shows the API whatever was changed in it, in every dimension it has",
    () =>
      Effect.gen(function* () {
        const { all, connection, files } = yield* mutating
        const look = Effect.andThen(
          rows(connection, "set local session authorization llm_api"),
          Effect.map(driftOf(connection, files), (drift) => drift.length)
        )
        // Nothing is found where nothing was changed.
        assert.deepStrictEqual(yield* withMutant(connection, "select 1", look), Exit.succeed(0))
        const results: Array<{ readonly dimension: string; readonly sql: string; readonly noticed: boolean }> = []
        for (const { dimension, sql } of all) {
          const seen = yield* withMutant(connection, sql, look)
          if (seen !== undefined) results.push({ dimension, sql, noticed: Exit.isFailure(seen) || seen.value > 0 })
        }
        const survivors = results.filter(({ noticed }) => !noticed)
        assert.deepStrictEqual(survivors, [])
        // PostgreSQL refuses some statements, but accepts most, and some of every dimension.
        assert.isAtLeast(results.length, 120)
        assert.isAtMost(all.length - results.length, 5)
        assert.strictEqual(
          new Set(results.map(({ dimension }) => dimension)).size,
          new Set(all.map(({ dimension }) => dimension)).size
        )
      }).pipe(Effect.scoped),
    240_000
  )

  it.effect(
    "is repaired by a migration where a program can know the intention, and refused by name where not",
    () =>
      Effect.gen(function* () {
        const state = yield* mutating
        const first = [...new Map(state.all.toReversed().map((mutant) => [mutant.dimension, mutant])).values()]
        const mendable = first.filter(({ dimension }) => !NOT_MENDED.test(dimension))
        assert.isAbove(mendable.length, 12)
        // One of each dimension, all of them at once.
        assert.strictEqual(yield* migrated(state, mendable.map(({ sql }) => sql).join(";\n")), "mended")
        for (const [sql, said] of REFUSED) assert.include(yield* migrated(state, sql), said, sql)
        for (const sql of MENDED) assert.strictEqual(yield* migrated(state, sql), "mended", sql)
      }).pipe(Effect.scoped),
    240_000
  )

  it.effect(
    "is checked by every migration, also where there is nothing to apply",
    () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        const connection = yield* connect(adminUrl)
        const files = yield* readSqlFiles()
        yield* rows(connection, "drop policy tenant_wall on app.messages")
        yield* rows(connection, "grant select on app.users to public")
        assert.deepStrictEqual((yield* migrate(adminUrl)).mended, [
          "table app.users: grant to public is not to be there: select",
          "table app.messages: policy tenant_wall is missing: restrictive for all to llm_tenant using ((tenant_id = ( SELECT app.tenant_id() AS tenant_id))) with check ((tenant_id = ( SELECT app.tenant_id() AS tenant_id)))"
        ])
        assert.deepStrictEqual((yield* driftOf(connection, files)).map(nameOf), [])
        // A foreign superuser is not ours to remove.
        yield* rows(connection, "create role foreign_admin superuser login")
        const refused = yield* Effect.flip(migrate(adminUrl, { foreign: "refuse" }))
        assert.strictEqual(refused.reason, "drift")
        assert.include(refused.message, "outsider foreign_admin: attributes is not to be there: superuser")
        assert.deepStrictEqual((yield* migrate(adminUrl)).foreign.length, 1)
        yield* migrate(adminUrl, { foreign: "accept" })
        assert.deepStrictEqual((yield* migrate(adminUrl, { foreign: "refuse" })).rebuilt, false)
        yield* rows(connection, "drop role foreign_admin")
      }).pipe(Effect.scoped),
    120_000
  )
})

const REFUSED = [
  ["alter table app.users add column added text", "table app.users: column added is not to be there: text"],
  ["create table app.added (tenant_id uuid not null, id uuid, primary key (tenant_id, id))", "table app.added"],
  ["alter table app.users drop constraint users_role_check", "constraint users_role_check is missing"],
  ["create unique index added on app.users (tenant_id, role)", "index app.added"],
  [
    "create role stranger; grant select on app.users to stranger; alter database alone set row_security = off",
    "setting everybody in"
  ],
  ["create publication added for all tables", "publication added: of is not to be there: all tables"],
  ["create view public.added as select * from app.users", "view public.added"]
] as const

const MENDED = [
  "create role stranger login; grant llm_owner, llm_tenant to stranger; grant llm_work to llm_api; grant pg_read_all_data to llm_tenant",
  "alter role llm_api superuser bypassrls inherit connection limit 3; alter role llm_owner login createdb; alter role llm_tenant set row_security = off",
  "alter table app.users replica identity full; alter table app.users alter column email drop not null; alter table app.users alter column status drop default; alter table app.users alter column role set (n_distinct = 2)",
  "alter default privileges for role llm_owner grant select on tables to public; grant create on schema public to public; alter table app.messages disable trigger all",
  "alter table app.users owner to llm_api; alter schema app owner to llm_tenant; alter function app.enter owner to llm_api; create function app.added() returns int language sql as 'select 1'",
  "alter event trigger llm_no_ddl disable; alter function pg_catalog.current_setting(text, boolean) immutable; alter function pg_catalog.length(text) leakproof; grant select on pg_statistic to llm_api"
]
