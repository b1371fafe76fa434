import type { Outside } from "@llm-saas/domain/Outside"
import type { Password } from "@llm-saas/domain/Password"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Context, type Effect, type Redacted } from "effect"

/** Slow by design, and so never inside a room. Bounded in number: beyond the bound it answers {@link Unavailable}. */
export class PasswordHasher extends Context.Service<
  PasswordHasher,
  {
    /** A PHC string (`$argon2id$…`) with a salt of its own. */
    readonly hash: (password: Password) => Effect.Effect<string, Unavailable>
    /** Whether the password fits. `undefined` stands for an unknown user: it takes as long, and never fits. */
    readonly verify: (
      hash: string | undefined,
      password: Redacted.Redacted<string>
    ) => Effect.Effect<boolean, Unavailable>
    /** Whether the hash was made with parameters older than today's. */
    readonly needsRehash: (hash: string) => boolean
  }
>()("@llm-saas/engine/PasswordHasher") {
  declare readonly outside: Outside["outside"]
}
