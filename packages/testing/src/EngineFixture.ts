import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { Actor } from "@llm-saas/domain/Actor"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, UserId } from "@llm-saas/domain/User"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import type { GenerationOptions } from "@llm-saas/engine/generations/GenerationOptions"
import type { Question } from "@llm-saas/engine/generations/QuestionStore"
import { Messages } from "@llm-saas/engine/messages/Messages"
import * as ScriptedLlm from "./ScriptedLlm.ts"
import { TestDatabase } from "./TestDatabase.ts"
import { type Context, Effect, Layer, Schema } from "effect"
import * as Digest from "effect/crypto/Digest"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"

export const OPTIONS: GenerationOptions = {
  limits: { perUser: 5000, perTenant: 500, waitingPerTenant: 5000, atOnce: 2000 },
  promptCharacters: 1000,
  answerCharacters: 100_000,
  contextTokens: 1000,
  readersPerUser: 5000,
  graceMs: 30_000,
  price: { input: 1, output: 2 }
}

const PoolLayer = (size: number) =>
  Layer.unwrap(
    Effect.map(TestDatabase, ({ apiUrl }) =>
      Pool.layer({ url: apiUrl, size, acquireTimeout: "5 seconds", waiting: 5000 })
    )
  )

/**
 * A process of the program without HTTP and RPC: the engine with its own pool and model. `watched` may observe what goes through the
 * pool.
 */
export const engine = (
  options: Partial<GenerationOptions> = {},
  poolSize = 5,
  watched: (pool: Pool["Service"]) => Pool["Service"] = (pool) => pool
) =>
  Layer.mergeAll(Messages.layer, Conversations.layer, Feedbacks.layer).pipe(
    Layer.provideMerge(Generations.layer({ ...OPTIONS, ...options })),
    Layer.provideMerge(Layer.mergeAll(Tenancy.layer, PreTenantAccess.layer, GenerationStore.layer)),
    Layer.provideMerge(Layer.provide(Layer.effect(Pool, Effect.map(Pool, watched)), PoolLayer(poolSize))),
    Layer.provideMerge(Layer.mergeAll(ScriptedLlm.layer, layerWebCrypto, Digest.layerWebCrypto)),
    Layer.merge(Layer.effectDiscard(Effect.forkScoped(slowly)))
  )

/**
 * Advances the clock by 100 ms each second, so slowly that no test of a time notices. On a busy machine a statement of the database may
 * fail once, and its retry would wait for ever on a clock that nothing moves.
 */
const slowly = Effect.clockWith((clock) =>
  "adjust" in clock
    ? Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1000).unref())).pipe(
        Effect.andThen(TestClock.adjust("100 millis")),
        Effect.forever
      )
    : Effect.void
)

/** Another process on the same database, while the scope is open. */
export const anotherProcess = (options: Partial<GenerationOptions> = {}) =>
  Effect.flatMap(Effect.scope, (scope) => Layer.buildWithScope(Layer.fresh(engine(options)), scope))

const emailOf = Schema.decodeUnknownSync(Schema.String.pipe(Schema.brand("Email")))

/** A new user of a tenant, which is created unless it is given. */
export const newUser = Effect.fnUntraced(function* (
  tenant?: TenantId
): Effect.fn.Return<Actor["Service"], Unavailable, PreTenantAccess> {
  const preTenant = yield* PreTenantAccess
  const tenantId = tenant ?? TenantId.make(randomUUID())
  if (tenant === undefined) yield* preTenant.createTenant({ id: tenantId, name: "Tenant", registration: "open" })
  const userId = UserId.make(randomUUID())
  const email: Email = emailOf(`${userId}@example.com`)
  yield* preTenant.register({ tenantId, userId, email, passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$x$y" })
  return { tenantId, userId, tokenEpoch: 0, needs: "user" }
})

export const as = (actor: Actor["Service"]) => Effect.provideService(Actor, actor)

export const question = (content: string, more: Partial<Question> = {}): Question => ({
  content,
  conversationId: undefined,
  source: "messages.stream",
  idempotencyKey: undefined,
  traceparent: undefined,
  ...more
})

/** Advances the clock, a flush at a time, until the promise is kept. Fails after some minutes of the clock's time. */
export const until = <E, R>(kept: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    for (let round = 0; round < 1000; round++) {
      if (yield* kept) return
      yield* TestClock.adjust("250 millis")
      // The database's answers come from outside of the clock.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
    }
    return yield* Effect.die(new Error("it never came to pass"))
  })

/** Runs an effect with the services of another process. */
export const at =
  <Services>(process: Context.Context<Services>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideContext(effect, process)
