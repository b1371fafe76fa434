import type { Credentials, Token } from "@llm-saas/api/AccountsApi"
import { Actor } from "@llm-saas/domain/Actor"
import type { Password } from "@llm-saas/domain/Password"
import type { Forbidden, InvalidCredentials, TenantRequired, Unauthenticated } from "@llm-saas/domain/Refusal"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { EmailInput } from "@llm-saas/domain/User"
import { Accounts, type Identity } from "@llm-saas/engine/Accounts"
import { Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import { LoginThrottle, type Sender } from "./LoginThrottle.ts"

/** Tokens for those who prove who they are, and patience with those who guess: the same at every door. */
export class Sessions extends Context.Service<
  Sessions,
  {
    readonly login: (
      credentials: typeof Credentials.Type,
      from: Sender
    ) => Effect.Effect<typeof Token.Type, InvalidCredentials | TenantRequired | TooManyRequests | Unavailable>
    /** Ends every token from before; the answer is a new one. */
    readonly changePassword: (
      change: { readonly current: Redacted.Redacted<string>; readonly next: Password },
      from: Sender
    ) => Effect.Effect<
      typeof Token.Type,
      InvalidCredentials | TooManyRequests | Unauthenticated | Forbidden | Unavailable,
      Actor
    >
  }
>()("@llm-saas/server/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const tokens = yield* AccessTokens
      const throttle = yield* LoginThrottle

      const token = (identity: Identity) =>
        Effect.map(tokens.issue(identity), (issued) => ({ ...issued, token_type: "bearer" as const }))

      return Sessions.of({
        login: ({ password, tenant_id, username }, from) =>
          accounts
            .login({ email: Option.getOrUndefined(asEmail(username)), password, tenantId: tenant_id })
            .pipe(throttle.guard({ account: username, request: from }), Effect.flatMap(token)),
        changePassword: (change, from) =>
          Effect.flatMap(Actor, ({ userId }) =>
            accounts
              .changePassword(change)
              .pipe(throttle.guard({ account: userId, request: from }), Effect.flatMap(token))
          )
      })
    })
  )
}

const asEmail = Schema.decodeUnknownOption(EmailInput)
