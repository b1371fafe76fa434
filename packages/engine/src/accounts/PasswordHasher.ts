import type { Outside } from "@llm-saas/domain/Outside"
import type { Password } from "@llm-saas/domain/Password"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Context, type Effect, type Redacted } from "effect"

/** The client that causes a hash, and the account it is for. Hashing is shared fairly between clients, and between accounts. */
export interface HashingShare {
  /** The client's network; for logged-in users, their tenant. */
  readonly client: string
  /**
   * What is done, and at which tenant; the email instead where no tenant was said. Logins and registrations of a tenant are two targets:
   * a flood of the one leaves the other alone.
   */
  readonly target: string
}

/** The result of trying a password against several hashes. */
export interface Comparison {
  /** Whether it fits each of the hashes, in their order. */
  readonly fits: ReadonlyArray<boolean>
  /** The hash that {@link PasswordHasher} would store today: it replaces a fitting hash that differs. */
  readonly hash: string
}

/** Slow by design, so never called inside a room. Bounded in number: beyond the bound it fails with {@link Unavailable}. */
export class PasswordHasher extends Context.Service<
  PasswordHasher,
  {
    /** A PHC string (`$argon2id$…`). Its salt depends on the address alone: it is the same in every tenant and for every password. */
    readonly hash: (
      password: Password,
      of: { readonly email: string; readonly share: HashingShare }
    ) => Effect.Effect<string, Unavailable>
    /**
     * Compares with all hashes of one address, at the price of one hash for any number of them, also for none. Older hashes with other
     * salts or parameters cost one each: the first {@link OLD_HASHES} are checked, and the others do not fit.
     */
    readonly compare: (
      password: Redacted.Redacted<string>,
      of: { readonly email: string; readonly hashes: ReadonlyArray<string>; readonly share: HashingShare }
    ) => Effect.Effect<Comparison, Unavailable>
  }
>()("@llm-saas/engine/accounts/PasswordHasher") {
  declare readonly outside: Outside["outside"]
}

/** Most hashes of older kinds that one login checks. Their number cannot grow after the upgrade: new hashes are all of one kind. */
export const OLD_HASHES = 8
