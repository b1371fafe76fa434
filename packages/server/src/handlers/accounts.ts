import { Accounts, type Identity } from "@llm-saas/engine/Accounts"
import { Api } from "@llm-saas/api/Api"
import { Actor } from "@llm-saas/domain/Actor"
import { EmailInput } from "@llm-saas/domain/User"
import { Effect, Option, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccessTokens } from "../AccessTokens.ts"
import { LoginThrottle } from "../LoginThrottle.ts"

const asEmail = Schema.decodeUnknownOption(EmailInput)

/** `/register`, `/login`, `/me`, `/me/password`. */
export const AccountsHandlers = HttpApiBuilder.group(
  Api,
  "accounts",
  Effect.fnUntraced(function* (handlers) {
    const accounts = yield* Accounts
    const tokens = yield* AccessTokens
    const throttle = yield* LoginThrottle

    const token = (identity: Identity) =>
      Effect.map(tokens.issue(identity), (issued) => ({ ...issued, token_type: "bearer" as const }))

    return handlers.handleAll({
      register: ({ payload }) =>
        accounts.register({ tenantId: payload.tenant_id, email: payload.email, password: payload.password }),

      login: ({ payload, request }) =>
        accounts
          .login({
            email: Option.getOrUndefined(asEmail(payload.username)),
            password: payload.password,
            tenantId: payload.tenant_id
          })
          .pipe(throttle.guard({ account: payload.username, request }), Effect.flatMap(token)),

      me: () => accounts.me,

      changePassword: ({ payload, request }) =>
        Effect.flatMap(Actor, (actor) =>
          accounts
            .changePassword({ current: payload.current_password, next: payload.new_password })
            .pipe(throttle.guard({ account: actor.userId, request }), Effect.flatMap(token))
        )
    })
  })
)
