import { type Actor } from "@llm-saas/domain/Actor"
import type { Outside } from "@llm-saas/domain/Outside"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Stream } from "effect"
import { Tenancy, TenantSql } from "../src/Tenancy.ts"

// The compile-time half of tenancy. Each `@ts-expect-error` is a promise: if the line below it ever compiles, the type check of
// the tests fails.

class Model extends Context.Service<Model, { readonly ask: Effect.Effect<string> }>()("test/Model") {
  declare readonly outside: Outside["outside"]
}

const rows = Effect.flatMap(TenantSql, (sql) => sql`select id from app.users`)
const run = <A, E>(_: Effect.Effect<A, E, Tenancy | Actor>) => undefined

export const promises = Effect.gen(function* () {
  const tenancy = yield* Tenancy

  run(tenancy.transaction(rows))
  run(tenancy.read(rows))

  // @ts-expect-error a statement on a tenant's table outside of a room
  run(rows)

  // @ts-expect-error a room without an actor
  const anonymous: Effect.Effect<unknown, unknown, Tenancy> = tenancy.transaction(rows)

  const slow = Effect.andThen(
    rows,
    Effect.flatMap(Model, (model) => model.ask)
  )
  // @ts-expect-error a model is asked while a connection is held
  yield* tenancy.transaction(slow)

  // @ts-expect-error a stream: its reader would decide how long the transaction stays open
  run(tenancy.transaction(Stream.fromEffect(rows)))

  return anonymous
})

it("is checked by the compiler", () => {
  assert.isDefined(promises)
})
