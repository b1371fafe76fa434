import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { PriceStore } from "@llm-saas/database/PriceStore"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { Actor } from "@llm-saas/domain/Actor"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Email, UserId } from "@llm-saas/domain/User"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import type { GenerationOptions } from "@llm-saas/engine/generations/GenerationOptions"
import type { Question } from "@llm-saas/engine/generations/QuestionStore"
import { PriceBook } from "@llm-saas/engine/prices/PriceBook"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { Encryption } from "@llm-saas/engine/providerKeys/Encryption"
import { ProviderKeys } from "@llm-saas/engine/providerKeys/ProviderKeys"
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
  graceMs: 30_000
}

/** No test of the engine keeps secrets. */
const NO_ENCRYPTION = Encryption.of({
  makeKey: (_tenant, version) => Effect.succeed({ version, wrapped: "00".repeat(60), wrapped_by: "0".repeat(16) }),
  seal: () => Effect.undefined,
  open: () => Effect.undefined
})

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
    Layer.provideMerge(Layer.provide(ProviderKeys.layer, Layer.succeed(Encryption, NO_ENCRYPTION))),
    Layer.provideMerge(Layer.provide(PriceBook.layer, PriceStore.layer)),
    Layer.provideMerge(Layer.mergeAll(Tenancy.layer, PreTenantAccess.layer, GenerationStore.layer)),
    Layer.provideMerge(
      Layer.provide(
        Layer.effect(
          Pool,
          Effect.map(Pool, (pool) => watched(counted(pool)))
        ),
        PoolLayer(poolSize)
      )
    ),
    Layer.provideMerge(Layer.mergeAll(ScriptedLlm.layer, layerWebCrypto, Digest.layerWebCrypto)),
    Layer.merge(Layer.effectDiscard(Effect.forkScoped(slowly)))
  )

/** Work with the database that is under way now, of all engines in this process. */
let underWay = 0

const counted = (pool: Pool["Service"]) => {
  const count = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      underWay++
      return Effect.ensuring(
        work,
        Effect.sync(() => void underWay--)
      )
    })
  return Pool.of({
    use: (work, line) => count(pool.use(work, line)),
    query: (sql, params, line) => count(pool.query(sql, params, line)),
    write: (sql, params, line) => count(pool.write(sql, params, line)),
    call: (sql, params, rows, line) => count(pool.call(sql, params, rows, line)),
    load: pool.load
  })
}

/** Milliseconds of real time: work that waits longer waits for something that the test does later. */
const PATIENCE_MS = 2000

const turn = Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))

/** Waits until the database has answered everything it was asked by engines in this process. */
const answered = Effect.gen(function* () {
  const began = performance.now()
  for (let quiet = 0; quiet < 3 && performance.now() - began < PATIENCE_MS; quiet = underWay === 0 ? quiet + 1 : 0)
    yield* turn
})

/** Advances the clock, a step at a time, and lets the database answer after each: its answers come from outside of the clock. */
export const passing = (milliseconds: number, step = 50) =>
  Effect.forEach(Array.from({ length: milliseconds / step }), () => Effect.andThen(TestClock.adjust(step), answered), {
    discard: true
  })

/**
 * Advances a clock that has stood still for three seconds of real time, by 100 ms each second. On a busy machine a statement of the
 * database may fail once, and its retry would wait for ever on a clock that nothing moves.
 */
const slowly = Effect.clockWith((clock) => {
  if (!("adjust" in clock)) return Effect.void
  let [seen, still] = [monotonicMillis(clock), 0]
  return Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1000).unref())).pipe(
    Effect.andThen(
      Effect.suspend(() => {
        const now = monotonicMillis(clock)
        still = now === seen ? still + 1 : 0
        seen = now
        if (still < 3) return Effect.void
        seen += 100
        return TestClock.adjust(100)
      })
    ),
    Effect.forever
  )
})

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
      yield* passing(250, 250)
    }
    return yield* Effect.die(new Error("it never came to pass"))
  })

/** Runs an effect with the services of another process. */
export const at =
  <Services>(process: Context.Context<Services>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideContext(effect, process)
