import { Pool } from "@llm-saas/database/connections/Pool"
import * as Databases from "@llm-saas/database/backup/Databases"
import { LoginCounts } from "@llm-saas/database/LoginCounts"
import type { UserId } from "@llm-saas/domain/User"
import { InvalidCredentials, TooManyRequests } from "@llm-saas/domain/Refusal"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Data, Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { ClientNetworks } from "../src/config/ClientNetworks.ts"
import { LoginThrottle } from "../src/auth/LoginThrottle.ts"
import { SecretKey } from "../src/auth/SecretKey.ts"
import { configured } from "./Configured.ts"
import { requestFrom } from "./Request.ts"

export const ALICE = "alice@acme.com"
export const MINUTE = 60_000

/** Two processes of the program as far as they count logins: each with its own pool, on one database. */
export class LoginProcesses extends Context.Service<
  LoginProcesses,
  {
    readonly one: LoginThrottle["Service"]
    readonly other: LoginThrottle["Service"]
    /** What they count with. */
    readonly counts: readonly [LoginCounts["Service"], LoginCounts["Service"]]
    /** The one and the other in turn. */
    readonly next: () => LoginThrottle["Service"]
    readonly networks: ClientNetworks["Service"]
    /** Lets time pass, for the database too. */
    readonly pass: (ms: number) => Effect.Effect<void>
    /** Moves the database's clock only, forward or back. */
    readonly step: (ms: number) => Effect.Effect<void>
    readonly rows: (sql: string) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  }
>()("test/LoginProcesses") {
  static readonly with = (variables: Readonly<Record<string, string>> = {}) =>
    Layer.effect(
      LoginProcesses,
      Effect.gen(function* () {
        const { adminUrl, apiUrl } = yield* TestDatabase
        const started = Layer.merge(LoginThrottle.layer, ClientNetworks.layer).pipe(
          Layer.provideMerge(LoginCounts.layer),
          Layer.provide(Pool.layer({ url: apiUrl, size: 8, acquireTimeout: "5 seconds", waiting: 5000 })),
          Layer.provide(Layer.succeed(SecretKey, { value: Redacted.make("k".repeat(43)), madeAt: undefined })),
          Layer.provide(configured(variables))
        )
        const [one, other] = yield* Effect.all([Layer.build(Layer.fresh(started)), Layer.build(Layer.fresh(started))])
        const throttles = [Context.get(one, LoginThrottle), Context.get(other, LoginThrottle)] as const
        let asked = 0
        const rows = (sql: string) =>
          Effect.map(Effect.orDie(Databases.execute(adminUrl, sql)), (result) => result.rows)
        // That all stored times are earlier is as good as that it is later.
        const step = Effect.fnUntraced(function* (ms: number) {
          const by = `interval '${ms} milliseconds'`
          yield* rows(`update meta.login_counts set at = at - ${by}, empty_at = empty_at - ${by}`)
          yield* rows(`update meta.login_attempts set expires_at = expires_at - ${by}`)
          yield* rows(`update meta.login_known set until = until - ${by}`)
        })
        return LoginProcesses.of({
          one: throttles[0],
          other: throttles[1],
          counts: [Context.get(one, LoginCounts), Context.get(other, LoginCounts)],
          next: () => throttles[asked++ % 2 === 0 ? 0 : 1],
          networks: Context.get(one, ClientNetworks),
          pass: (ms) => Effect.andThen(step(ms), TestClock.adjust(ms)),
          step,
          rows
        })
      })
    ).pipe(Layer.provideMerge(TestDatabase.layer))

  static readonly layer = LoginProcesses.with()
}

export type From = string | readonly [peer: string, forwardedFor: string]

/** How many seconds a refused login has to wait; `undefined`: it was let through. */
export const attempt = Effect.fnUntraced(function* <E>(
  outcome: Effect.Effect<void, E>,
  from: From,
  account = ALICE,
  at?: "one" | "other"
) {
  const processes = yield* LoginProcesses
  const client = processes.networks.of(typeof from === "string" ? requestFrom(from) : requestFrom(...from))
  const { guard } = at === undefined ? processes.next() : processes[at]
  return yield* guard({ account, client, exact: false }, () => outcome).pipe(
    Effect.as(undefined),
    Effect.catch((error) => Effect.succeed(error instanceof TooManyRequests ? error.retry_after : undefined))
  )
})
export const wrong = (from: From, account = ALICE) => attempt(Effect.fail(new InvalidCredentials({})), from, account)
export const right = (from: From, account = ALICE) => attempt(Effect.void, from, account)

class Refused extends Data.TaggedError("Refused") {}

/** A login with the accounts of its email, of which the password fits some: which were tried, and which were told. */
export const login = Effect.fnUntraced(function* (
  there: ReadonlyArray<UserId>,
  fitting: ReadonlyArray<UserId>,
  { address = "198.51.100.1", email = "victim", exact = false } = {}
) {
  const { next } = yield* LoginProcesses
  const nothing = { tried: new Set<UserId>(), told: new Set<UserId>() }
  let outcome: { readonly tried: ReadonlySet<UserId>; readonly told: ReadonlySet<UserId> } = nothing
  return yield* next()
    .guard({ account: email, exact, client: { narrow: address, wide: undefined } }, ({ begin, end }) => {
      begin(there)
      return Effect.flatMap(end(fitting), (ended) => {
        outcome = ended
        return ended.told.size === 0 ? new InvalidCredentials({}) : Effect.void
      })
    })
    .pipe(
      Effect.catchTag("InvalidCredentials", () => Effect.void),
      Effect.mapError(() => new Refused()),
      Effect.map(() => outcome)
    )
})

export const times = <A, E, R>(n: number, each: (i: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(
    Array.from({ length: n }, (_, i) => i),
    each
  )
