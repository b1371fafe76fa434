import type { Unavailable } from "@llm-saas/domain/Refusal"
import { UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** The limits of logins, the same in every process of an installation. */
export interface LoginLimits {
  /** Failures for one account from one address. */
  readonly perPair: number
  /** Failures for one account from all addresses; beyond it each address has one. */
  readonly perAccount: number
  /** Failures from one address, for any account. */
  readonly perAddress: number
  /** The same for the wider network, if the address has one. */
  readonly perWideAddress: number
  /** In which as many failures leak away as are allowed. */
  readonly windowMs: number
}

/** What one login counts for: keyed hashes of 43 characters, so that no address and no email is stored. */
export interface LoginKeys {
  /** Of the account at this address, of the account, of the address, and of the wider network if any. */
  readonly told: ReadonlyArray<string>
  /** Of accounts that share a count, and of failures behind successes: for the email, the address, and the wider network if any. */
  readonly behind: ReadonlyArray<string>
  /** Of the address: what the keys of accounts at this address are made of. */
  readonly seed: string
}

/** One login. */
export interface CountedLogin {
  readonly id: string
  readonly keys: LoginKeys
  readonly limits: LoginLimits
}

/** The password was compared with `accounts` and fits `fitting`. `exact`: the tenant was given, so no account is left out. */
export interface LoginResult {
  readonly exact: boolean
  readonly accounts: ReadonlyArray<UserId>
  readonly fitting: ReadonlyArray<UserId>
}

const Wait = Schema.Struct({ wait: Schema.Finite, cause: Schema.NullOr(Schema.Literals(["account", "address"])) })
const Outcome = Schema.Struct({ tried: Schema.Array(UserId), told: Schema.Array(UserId) })

/** Logins wait for a connection in the line of all requests without a tenant. */
const LINE = "preTenant"

/**
 * Failed logins and logins under way, counted in the database for all processes together (`sql/functions/32_logins.sql`). Each call is one
 * statement, a transaction of its own; no lock is held between them. All times are the database's.
 */
export class LoginCounts extends Context.Service<
  LoginCounts,
  {
    /**
     * Begins a login. It counts as a failure until it ends, and after a minute without an end for good. `waitMs`: how long until there is
     * room, or 0; then nothing was counted. `cause`: the account at this address, or the address, certainly has no room before that.
     */
    readonly begin: (
      login: CountedLogin
    ) => Effect.Effect<{ readonly waitMs: number; readonly cause: "account" | "address" | null }, Unavailable>
    /** Ends it. `tried`: the accounts that had an attempt left. `told`: those of them that may be named; none: it failed. */
    readonly end: (
      login: CountedLogin,
      result: LoginResult
    ) => Effect.Effect<{ readonly tried: ReadonlyArray<UserId>; readonly told: ReadonlyArray<UserId> }, Unavailable>
    /** Ends it without a failure, for a fault of ours. May be repeated. */
    readonly cancel: (login: CountedLogin) => Effect.Effect<void, Unavailable>
    /** The account was created from the address. */
    readonly know: (keys: LoginKeys, account: UserId) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/database/LoginCounts") {
  static readonly layer = Layer.effect(
    LoginCounts,
    Effect.gen(function* () {
      const pool = yield* Pool
      return LoginCounts.of({
        begin: Effect.fn("LoginCounts.begin")(function* (login) {
          const sql = "select wait, cause from auth.login_begin($1::uuid, $2::text[], $3::int4[], $4::int4)"
          const [{ cause, wait }] = yield* pool.call(sql, parameters(login), Schema.Tuple([Wait]), LINE)
          return { waitMs: wait * 1000, cause }
        }),
        end: Effect.fn("LoginCounts.end")(function* (login, { accounts, exact, fitting }) {
          const [outcome] = yield* pool.call(
            `select tried, told from auth.login_end(
               $1::uuid, $2::text[], $3::int4[], $4::int4, $5::bool, $6::text, $7::text[], $8::uuid[], $9::uuid[])`,
            [...parameters(login), exact, login.keys.seed, login.keys.behind, accounts, fitting],
            Schema.Tuple([Outcome]),
            LINE
          )
          return outcome
        }),
        cancel: Effect.fn("LoginCounts.cancel")(function* (login) {
          const sql = "select auth.login_cancel($1::uuid, $2::text[], $3::int4[], $4::int4)"
          yield* pool.call(sql, parameters(login), Schema.Unknown, LINE)
        }),
        know: Effect.fn("LoginCounts.know")(function* ({ seed }, account) {
          yield* pool.call("select auth.login_know($1::text, $2::uuid)", [seed, account], Schema.Unknown, LINE)
        })
      })
    })
  )
}

/** The first parameters of each call. */
const parameters = ({ id, keys, limits }: CountedLogin): ReadonlyArray<unknown> => [
  id,
  keys.told,
  [limits.perPair, limits.perAccount, limits.perAddress, limits.perWideAddress].slice(0, keys.told.length),
  Math.ceil(limits.windowMs / 1000)
]
