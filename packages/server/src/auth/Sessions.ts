import type { Credentials, Token } from "@llm-saas/api/AccountsApi"
import { type Actor } from "@llm-saas/domain/Actor"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import type { Forbidden, InvalidCredentials, TenantRequired, Unauthenticated } from "@llm-saas/domain/Refusal"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { EmailInput } from "@llm-saas/domain/User"
import { Accounts, type Identity } from "@llm-saas/engine/accounts/Accounts"
import { Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { LoginThrottle } from "./LoginThrottle.ts"

/** Issues tokens at login and throttles guessing, the same for HTTP and RPC. */
export class Sessions extends Context.Service<
  Sessions,
  {
    readonly login: (
      credentials: typeof Credentials.Type,
      from: Sender
    ) => Effect.Effect<typeof Token.Type, InvalidCredentials | TenantRequired | TooManyRequests | Unavailable>
    /** Ends every earlier token; returns a new one. */
    readonly changePassword: (
      change: { readonly current: Redacted.Redacted<string>; readonly next: Password },
      from: Sender
    ) => Effect.Effect<
      typeof Token.Type,
      InvalidCredentials | PasswordRefused | TooManyRequests | Unauthenticated | Forbidden | Unavailable,
      Actor
    >
  }
>()("@llm-saas/server/auth/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const tokens = yield* AccessTokens
      const throttle = yield* LoginThrottle
      const networks = yield* ClientNetworks

      const token = (identity: Identity) =>
        Effect.map(tokens.issue(identity), (issued) => ({ ...issued, token_type: "bearer" as const }))

      const login: Sessions["Service"]["login"] = ({ password, tenant_id, username }, from) => {
        const client = networks.of(from)
        const email = Option.getOrUndefined(asEmail(username))
        const attempt = { account: username, exact: tenant_id !== undefined, client }
        return Effect.flatMap(
          throttle.guard(attempt, (attempts) =>
            accounts.login({ email, password, tenantId: tenant_id, client: client.narrow, attempts })
          ),
          token
        )
      }

      const changePassword: Sessions["Service"]["changePassword"] = Effect.fnUntraced(function* (change, from) {
        const client = networks.of(from)
        // A wrong password here counts together with those at the login.
        const { email, tenant } = yield* accounts.me
        const identity = yield* throttle.guard({ account: email, exact: true, client }, (attempts) =>
          accounts.changePassword({ ...change, email, tenantName: tenant.name, client: client.narrow, attempts })
        )
        return yield* token(identity)
      })
      return Sessions.of({ login, changePassword })
    })
  )
}

const asEmail = Schema.decodeUnknownOption(EmailInput)
