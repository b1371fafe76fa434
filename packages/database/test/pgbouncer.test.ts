import { assert, describe, layer } from "@effect/vitest"
import { Actor } from "@llm-saas/domain/Actor"
import { UserId } from "@llm-saas/domain/User"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Exit, Fiber, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { interleave, member } from "./Interleaved.ts"
import { followsPrepared, pooled, version } from "./PgBouncer.ts"
import { open } from "./Session.ts"
import { status } from "../src/migrations/Migrations.ts"
import { Pool } from "../src/connections/Pool.ts"
import { Readiness } from "../src/connections/Readiness.ts"
import { inspectLogin } from "../src/logins/RoleSafety.ts"
import { Tenancy, TenantSql } from "../src/Tenancy.ts"

/** Ours to PgBouncer, and PgBouncer's to the server: fewer, so that a server connection goes from one of ours to the next. */
const OURS = 6
const ITS_OWN = 3

const rooms = (prepare: boolean) =>
  Tenancy.layer.pipe(
    Layer.provideMerge(
      Layer.unwrap(
        Effect.gen(function* () {
          const { apiUrl } = yield* TestDatabase
          const url = yield* pooled(apiUrl, ITS_OWN)
          return Pool.layer({ url, size: OURS, acquireTimeout: "30 seconds", waiting: 5000, prepare })
        })
      )
    ),
    Layer.provideMerge(TestDatabase.layer)
  )

/**
 * A refused entry aborts its transaction, and with it the parsing of the statement behind it: neither we nor PgBouncer may
 * count that one as prepared. The same statement is sent next by a user who may enter.
 */
const refusals = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const good = yield* member
  const bad = { ...good, userId: UserId.make(randomUUID()) }
  yield* Effect.forEach(
    Array.from({ length: 60 }, (_, n) => n),
    Effect.fnUntraced(function* (n) {
      const ask = tenancy.read(
        TenantSql.use((sql) => sql`select ${sql.literal(String(n))} as n, app.user_id() as "user"`)
      )
      const refused = yield* Effect.flip(Effect.provideService(ask, Actor, bad))
      assert.strictEqual(refused._tag, "Unauthenticated")
      const [row] = yield* Effect.provideService(ask, Actor, good)
      assert.deepStrictEqual(row, { n, user: good.userId })
    }),
    { concurrency: 20 }
  )
})

const options = { timeout: "120 seconds", excludeTestServices: true } as const

describe.skipIf(version === undefined)(
  `through PgBouncer ${version ?? "(none is installed)"} in transaction mode`,
  () => {
    layer(rooms(false), options)("without prepared statements", (it) => {
      it.effect("tenants never mix", () => interleave(OURS), 60_000)
      it.effect("a refused user leaves nothing behind", () => refusals)
      it.effect("a refused user leaves nothing behind", () => refusals)
    })

    describe.skipIf(!followsPrepared)("with prepared statements (from 1.21 on)", () => {
      layer(rooms(true), options)("with prepared statements", (it) => {
        it.effect("tenants never mix", () => interleave(OURS), 60_000)
        it.effect("a refused user leaves nothing behind", () => refusals)
        it.effect("a refused user leaves nothing behind", () => refusals)
      })
    })

    layer(TestDatabase.layer, options)("that does not track prepared statements", (it) => {
      it.effect("they fail, and nothing is answered from outside a room", () =>
        Effect.gen(function* () {
          const { apiUrl } = yield* TestDatabase
          const url = yield* pooled(apiUrl, 2, followsPrepared ? { max_prepared_statements: 0 } : {})
          const pool = Pool.layer({ url, size: 1, acquireTimeout: "30 seconds", waiting: 10, prepare: true })
          const tenancy = Context.get(yield* Layer.build(Layer.provide(Tenancy.layer, pool)), Tenancy)
          const actor = yield* member
          const who = tenancy.read(TenantSql.use((sql) => sql`select app.user_id() as "user"`))
          const ask = Effect.exit(Effect.provideService(who, Actor, actor))
          for (let n = 0; n < 3; n++) assert.deepStrictEqual(yield* ask, Exit.succeed([{ user: actor.userId }]))
          // Takes the one connection to the server with the prepared statements. The next query goes to another one.
          const other = yield* open(url)
          yield* other.rows("begin")
          const answer = yield* ask
          assert.isTrue(Exit.isFailure(answer), JSON.stringify(answer))
        })
      )
    })

    layer(TestDatabase.layer, { timeout: "120 seconds" })("at start", (it) => {
      it.effect("the login is inspected and the schema compared as without it", () =>
        Effect.gen(function* () {
          const { apiUrl } = yield* TestDatabase
          const url = yield* pooled(apiUrl, ITS_OWN)
          const login = yield* inspectLogin(url)
          assert.deepStrictEqual([login.role, login.risks], ["llm_api", []])
          assert.strictEqual((yield* status(url)).state, "current")
        })
      )

      it.effect("a request that waits too long for one of its connections is told to come back", () =>
        Effect.gen(function* () {
          const { adminUrl, apiUrl } = yield* TestDatabase
          const url = yield* pooled(apiUrl, 1, { query_wait_timeout: 1 })
          const services = yield* Layer.build(
            Readiness.layer.pipe(
              Layer.provideMerge(Pool.layer({ url, size: 2, acquireTimeout: "30 seconds", waiting: 10 }))
            )
          )
          const busy = yield* Effect.forkChild(
            Context.get(services, Pool).use((connection) => connection.query("select pg_sleep(4)", []))
          )
          const superuser = yield* open(adminUrl)
          yield* Effect.repeat(
            superuser.rows("select from pg_stat_activity where query = 'select pg_sleep(4)' and state = 'active'"),
            { until: (rows) => rows.length > 0 }
          )
          const waited = yield* Effect.flip(Context.get(services, Readiness).check)
          assert.strictEqual(waited._tag, "Unavailable")
          yield* Fiber.join(busy)
          yield* Context.get(services, Readiness).check
        })
      )
    })
  }
)
