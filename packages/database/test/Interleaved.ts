import { assert } from "@effect/vitest"
import { Actor } from "@llm-saas/domain/Actor"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Cause, Effect, Exit, Fiber, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { Pool } from "../src/connections/Pool.ts"
import { Tenancy, TenantSql } from "../src/Tenancy.ts"
import { askedQuestion } from "./Questions.ts"
import { open } from "./Session.ts"

/** The first user of a new tenant. */
export const member = Effect.gen(function* () {
  const { apiUrl } = yield* TestDatabase
  const api = yield* open(apiUrl)
  const actor = {
    tenantId: TenantId.make(randomUUID()),
    userId: UserId.make(randomUUID()),
    tokenEpoch: 0,
    needs: "user"
  }
  yield* api.rows("select * from auth.create_tenant($1, 'Acme', 'open', 'request')", [actor.tenantId])
  yield* api.rows("select * from auth.register($1, $2, 'a@example.com', '$argon2id$', 'request')", [
    actor.tenantId,
    actor.userId
  ])
  return Actor.of({ ...actor, tokenEpoch: 0, needs: "user" })
}).pipe(Effect.scoped)

interface Seen {
  readonly tenant: string
  readonly user: string
  readonly role: string
  readonly users: ReadonlyArray<string>
}

/** The tenant and user of this room, as the database has them, and the tenants of its visible rows. */
export const look = TenantSql.use(
  (sql) =>
    sql<Seen>`select app.tenant_id() as tenant, app.user_id() as "user", current_user::text as role,
                array(select id::text from app.users) as users`
).pipe(Effect.map(([row]) => row))

export const touch = TenantSql.use(
  (sql) => sql<{ id: string }>`update app.users set status = status returning id::text`
)

/** The same, by a read function. */
const profile = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const answer = yield* Effect.orDie(
    Schema.decodeUnknownEffect(Schema.fromJsonString(ReadFunctionRow))(
      yield* tenancy.readFunction("own_profile", undefined)
    )
  )
  return { tenant: answer.tenant.id, user: answer.id, role: "llm_tenant", users: [answer.id] }
})
const ReadFunctionRow = Schema.Struct({ id: Schema.String, tenant: Schema.Struct({ id: Schema.String }) })

/** The same, for a question asked in one call: the row names its tenant and user. */
const question = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const message = randomUUID()
  yield* tenancy.ask(askedQuestion(message))
  return yield* tenancy.read(
    TenantSql.use(
      (
        sql
      ) => sql<Seen>`select m.tenant_id as tenant, m.user_id as "user", current_user::text as role, array[m.user_id::text] as users
        from app.messages m where m.id = ${message}`
    ).pipe(Effect.map(([row]) => row))
  )
})

const unknownUser = Actor.of({
  tenantId: TenantId.make(randomUUID()),
  userId: UserId.make(randomUUID()),
  tokenEpoch: 0,
  needs: "user"
})

/** What a request can do to the connection it was lent, by its number. */
const request = (n: number) =>
  Effect.gen(function* () {
    const tenancy = yield* Tenancy
    switch (n % 8) {
      case 7:
        return [yield* question]
      case 5:
        return [yield* profile]
      case 6:
        // Refused, between the others on the same connection.
        return [
          yield* Effect.provideService(profile, Actor, unknownUser).pipe(
            Effect.catchTag("Unauthenticated", ({ _tag }) => Effect.succeed(_tag))
          )
        ]
      case 0:
        return [yield* tenancy.read(look)]
      case 1:
        return [yield* tenancy.transaction(look)]
      case 2:
        return yield* tenancy.transaction(Effect.all([look, Effect.andThen(Effect.yieldNow, look)]))
      case 3:
        return yield* tenancy.transaction(
          Effect.gen(function* () {
            const before = yield* look
            const written = yield* touch
            const after = yield* look
            return [before, after, { ...after, users: written.map(({ id }) => id) }]
          })
        )
      default:
        // Fails in the middle, and so rolls back.
        return yield* tenancy
          .transaction(
            Effect.andThen(
              touch,
              Effect.flatMap(look, (seen) => Effect.fail([seen]))
            )
          )
          .pipe(Effect.catch((seen) => (Array.isArray(seen) ? Effect.succeed(seen) : Effect.die(seen))))
    }
  })

/**
 * A thousand requests of two tenants in turn, a fifth of them interrupted: each sees only its own tenant's rows, and
 * leaves nothing on the connection. `connections` are those that answer.
 */
export const interleave = Effect.fnUntraced(function* (connections: number) {
  const members = [yield* member, yield* member] as const
  const exits = yield* Effect.forEach(
    Array.from({ length: 1000 }, (_, n) => n),
    (n) => {
      const actor = members[n % 2 === 0 ? 0 : 1]
      const asked = Effect.provideService(request(n), Actor, actor)
      const exit =
        n % 5 !== 3
          ? Effect.exit(asked)
          : Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(asked)
              // Interrupted at another moment each: waiting, entering, between statements, committing.
              for (let turns = 0; turns < n % 40; turns++) yield* Effect.promise(() => new Promise(setImmediate))
              yield* Fiber.interrupt(fiber)
              return yield* Fiber.await(fiber)
            })
      return Effect.map(exit, (exit) => ({ actor, exit }))
    },
    { concurrency: 50 }
  )
  let [looks, interrupted] = [0, 0]
  for (const { actor, exit } of exits) {
    if (Exit.isFailure(exit)) {
      assert.isTrue(Cause.hasInterruptsOnly(exit.cause), Cause.pretty(exit.cause))
      interrupted++
      continue
    }
    for (const seen of exit.value) {
      looks++
      if (seen === "Unauthenticated") continue
      const { tenantId: tenant, userId: user } = actor
      assert.deepStrictEqual(seen, { tenant, user, role: "llm_tenant", users: [user] })
    }
  }
  assert.isAtLeast(looks, 1000)
  assert.isAtLeast(interrupted, 20)
  // Afterwards no connection belongs to a tenant.
  const pool = yield* Pool
  const state = `select current_user::text as role, nullif(current_setting('app.tenant_id', true), '') as tenant,
                   pg_current_xact_id_if_assigned()::text as transaction`
  const states = yield* Effect.forEach(
    Array.from({ length: connections * 8 }, (_, n) => n),
    (n) => (n % 2 === 0 ? pool.query(state, []) : pool.use((connection) => connection.query(state, []))),
    { concurrency: "unbounded" }
  )
  for (const { rows } of states) assert.deepStrictEqual(rows, [{ role: "llm_api", tenant: null, transaction: null }])
})
