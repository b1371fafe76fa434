import { assert, layer } from "@effect/vitest"
import { Actor } from "@llm-saas/domain/Actor"
import { Forbidden, Unauthenticated } from "@llm-saas/domain/Refusal"
import { UserId } from "@llm-saas/domain/User"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Cause, Effect, Exit, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { Pool } from "../src/connections/Pool.ts"
import { Tenancy, TenantSql } from "../src/Tenancy.ts"
import { interleave, look, member, touch } from "./Interleaved.ts"
import { askedQuestion } from "./Questions.ts"
import { open, type Session } from "./Session.ts"

// Far fewer connections than requests: every one of them changes tenants all the time.
const CONNECTIONS = 4

const Rooms = Tenancy.layer.pipe(
  Layer.provideMerge(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ apiUrl }) =>
        Pool.layer({ url: apiUrl, size: CONNECTIONS, acquireTimeout: "30 seconds", waiting: 5000 })
      )
    )
  ),
  Layer.provideMerge(TestDatabase.layer)
)

/** A new tenant's second user: its first one, the admin, cannot be disabled. */
const user = Effect.fnUntraced(function* (superuser: Session) {
  const admin = yield* member
  const actor = { ...admin, userId: UserId.make(randomUUID()) }
  yield* superuser.rows("select * from auth.register($1, $2, 'b@example.com', '$argon2id$', 'request')", [
    actor.tenantId,
    actor.userId
  ])
  return actor
})

layer(Rooms, { timeout: "120 seconds", excludeTestServices: true })("two tenants at once", (it) => {
  it.effect("never mix: a thousand requests in turn on four connections, a fifth of them interrupted", () =>
    Effect.gen(function* () {
      yield* interleave(CONNECTIONS)
    })
  )

  it.effect("a room inside a room of the same actor is that room: one transaction, rolled back as one", () =>
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const actor = yield* member
      const transaction = TenantSql.use((sql) => sql<{ id: string }>`select pg_current_xact_id()::text as id`)
      const rename = TenantSql.use((sql) => sql`update app.tenants set name = 'Renamed'`)
      const name = TenantSql.use((sql) => sql<{ name: string }>`select name from app.tenants`)
      yield* Effect.gen(function* () {
        const [outer, inner] = yield* tenancy.transaction(Effect.all([transaction, tenancy.transaction(transaction)]))
        assert.deepStrictEqual(outer, inner)
        const exit = yield* Effect.exit(
          tenancy.transaction(Effect.andThen(tenancy.transaction(rename), Effect.fail("after all not" as const)))
        )
        assert.deepStrictEqual(exit, Exit.fail("after all not"))
        assert.deepStrictEqual(yield* tenancy.read(name), [{ name: "Acme" }])
      }).pipe(Effect.provideService(Actor, actor))
    })
  )

  it.effect(
    "a room inside a room of another tenant, another user or another need is a bug, and nothing of it happens",
    () =>
      Effect.gen(function* () {
        const tenancy = yield* Tenancy
        const [actor, stranger] = [yield* member, yield* member]
        const others = [
          stranger,
          { ...actor, userId: UserId.make(randomUUID()) },
          { ...actor, needs: "admin" as const }
        ]
        for (const other of others) {
          const exit = yield* tenancy
            .transaction(Effect.andThen(touch, Effect.provideService(tenancy.transaction(touch), Actor, other)))
            .pipe(Effect.provideService(Actor, actor), Effect.exit)
          assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "inside another's")
        }
        assert.deepStrictEqual((yield* Effect.provideService(tenancy.read(look), Actor, stranger))?.users, [
          stranger.userId
        ])
      })
  )

  it.effect("a readFunction is refused where a room is refused, and joins the current room", () =>
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const { adminUrl } = yield* TestDatabase
      const superuser = yield* open(adminUrl)
      const actor = yield* user(superuser)
      const taken = Effect.exit(Effect.provideService(tenancy.readFunction("own_profile", undefined), Actor, actor))
      assert.isTrue(Exit.isSuccess(yield* taken))
      const asAdmin = Effect.provideService(tenancy.readFunction("own_profile", undefined), Actor, {
        ...actor,
        needs: "admin"
      })
      assert.deepStrictEqual(yield* Effect.exit(asAdmin), Exit.fail(new Forbidden({})))
      yield* superuser.rows(`update app.users set status = 'disabled' where id = '${actor.userId}'`)
      assert.deepStrictEqual(yield* taken, Exit.fail(new Unauthenticated({})))

      const [other, stranger] = [yield* member, yield* member]
      const renamed = yield* tenancy
        .transaction(
          Effect.andThen(
            TenantSql.use((sql) => sql`update app.tenants set name = 'Uncommitted'`),
            tenancy.readFunction("own_profile", undefined)
          )
        )
        .pipe(Effect.provideService(Actor, other))
      assert.include(renamed, "Uncommitted")
      const across = yield* tenancy
        .transaction(
          Effect.andThen(look, Effect.provideService(tenancy.readFunction("own_profile", undefined), Actor, stranger))
        )
        .pipe(Effect.provideService(Actor, other), Effect.exit)
      assert.isTrue(Exit.isFailure(across) && Cause.hasDies(across.cause))
    }).pipe(Effect.scoped)
  )

  it.effect("a call is refused where a room is refused, leaves nothing then, and joins the current room", () =>
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const { adminUrl } = yield* TestDatabase
      const superuser = yield* open(adminUrl)
      const actor = yield* user(superuser)
      const asking = (message: string) => tenancy.ask(askedQuestion(message))
      const isThere = (message: string) =>
        Effect.map(superuser.rows(`select from app.messages where id = '${message}'`), (rows) => rows.length === 1)
      const [kept, refused, undone] = [randomUUID(), randomUUID(), randomUUID()]
      yield* Effect.provideService(asking(kept), Actor, actor)
      assert.isTrue(yield* isThere(kept))

      const before = Effect.andThen(asking(undone), Effect.fail("no"))
      const exit = yield* Effect.exit(Effect.provideService(tenancy.transaction(before), Actor, actor))
      assert.deepStrictEqual(exit, Exit.fail("no"))
      assert.isFalse(yield* isThere(undone))

      yield* superuser.rows(`update app.users set status = 'disabled' where id = '${actor.userId}'`)
      const disabled = yield* Effect.exit(Effect.provideService(asking(refused), Actor, actor))
      assert.deepStrictEqual(disabled, Exit.fail(new Unauthenticated({})))
      assert.isFalse(yield* isThere(refused))
      // The connection is as clean as before.
      const [seen] = yield* Effect.map(
        Effect.flatMap(Pool, (pool) =>
          pool.use((connection) => connection.query("select current_user::text as role", []))
        ),
        ({ rows }) => rows
      )
      assert.deepStrictEqual(seen, { role: "llm_api" })
    }).pipe(Effect.scoped)
  )
})
