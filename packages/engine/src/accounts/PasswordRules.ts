import type { Password } from "@llm-saas/domain/Password"
import {
  flawDetail,
  flawOf,
  type PasswordDemands,
  type PasswordOwner,
  PasswordRefused
} from "@llm-saas/domain/PasswordRules"
import { Context, Effect, Layer, Redacted } from "effect"

/** What an installation asks of passwords. */
export interface PasswordRulesOptions extends Pick<PasswordDemands, "minCharacters"> {
  /** The name under which its users know it. */
  readonly product: string
  readonly isCommon: Effect.Effect<PasswordDemands["isCommon"]>
}

/** Decides which passwords may be chosen: at registration, by an admin, at every change. Passwords chosen before stay. */
export class PasswordRules extends Context.Service<
  PasswordRules,
  {
    /** `names`: of the tenant, where it is known. */
    readonly check: (password: Password, owner: PasswordOwner) => Effect.Effect<void, PasswordRefused>
  }
>()("@llm-saas/engine/accounts/PasswordRules") {
  static readonly layer = ({ isCommon, minCharacters, product }: PasswordRulesOptions) =>
    Layer.succeed(PasswordRules, {
      check: (password, { email, names }) =>
        Effect.flatMap(isCommon, (isCommon) => {
          const owner = { email, names: [product, ...names] }
          const reason = flawOf(Redacted.value(password), owner, { minCharacters, isCommon })
          if (reason === undefined) return Effect.void
          const detail = flawDetail(reason, minCharacters)
          return Effect.fail(new PasswordRefused({ reason, min_characters: minCharacters, detail }))
        })
    })
}
