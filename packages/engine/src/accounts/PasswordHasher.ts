import type { Outside } from "@llm-saas/domain/Outside"
import type { Password } from "@llm-saas/domain/Password"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Context, type Effect, type Redacted } from "effect"

/** Who makes us hash, and for whom. Hashing is fair between clients, and between those they hash for. */
export interface HashingShare {
  /** The client's network; for those who are logged in already, their tenant. */
  readonly client: string
  /** The tenant that is logged in to or registered with; the address that was typed, where no tenant was said. */
  readonly target: string
}

/** A password that was tried, beside the hashes it was compared with. */
export interface Comparison {
  /** Whether it fits each of the hashes, in their order. */
  readonly fits: ReadonlyArray<boolean>
  /** What {@link PasswordHasher} would keep of it today: where a hash fits and is another one, this replaces it. */
  readonly hash: string
}

/** Slow by design, and so never inside a room. Bounded in number: beyond the bound it answers {@link Unavailable}. */
export class PasswordHasher extends Context.Service<
  PasswordHasher,
  {
    /** A PHC string (`$argon2id$…`). Its salt is the address's: the same in every tenant, and for every password of that address. */
    readonly hash: (
      password: Password,
      of: { readonly email: string; readonly share: HashingShare }
    ) => Effect.Effect<string, Unavailable>
    /**
     * Compares with all hashes there are of one address, at the price of one hash however many they are, and also when there are none.
     * Hashes with other salts or parameters, from before they were the address's, cost one each: the first {@link OLD_HASHES} are looked
     * at, and the others do not fit.
     */
    readonly compare: (
      password: Redacted.Redacted<string>,
      of: { readonly email: string; readonly hashes: ReadonlyArray<string>; readonly share: HashingShare }
    ) => Effect.Effect<Comparison, Unavailable>
  }
>()("@llm-saas/engine/accounts/PasswordHasher") {
  declare readonly outside: Outside["outside"]
}

/** Hashes of older kinds that one login looks at. There can be no more of them than before the upgrade: new ones are all of one kind. */
export const OLD_HASHES = 8
