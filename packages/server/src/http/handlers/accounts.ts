import { Api } from "@llm-saas/api/Api"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { SignUps } from "../../auth/SignUps.ts"
import { asJson } from "./json.ts"

/** `/register`, `/login`, `/me`, `/me/password`. */
export const AccountsHandlers = HttpApiBuilder.group(
  Api,
  "accounts",
  Effect.fnUntraced(function* (handlers) {
    const accounts = yield* Accounts
    const sessions = yield* Sessions
    const signUps = yield* SignUps
    return handlers.handleAll({
      register: ({ headers, payload, request }) =>
        signUps.register({ ...payload, key: headers["idempotency-key"] }, request),
      login: ({ payload: { session, tenant_id, ...credentials }, request }) => {
        const want =
          session === "" || session === undefined
            ? false
            : session === "cookie"
              ? session
              : session === true || session === "true"
        const login = sessions.login(
          { ...credentials, session: want, ...(tenant_id === undefined || tenant_id === "" ? {} : { tenant_id }) },
          request
        )
        // A page of another origin must not log its reader in as another: its cookie would stay.
        return want === "cookie" ? Effect.andThen(refuseOtherOrigins(request), login) : login
      },
      me: () => asJson(accounts.profile),
      changePassword: ({ headers, payload, request }) =>
        sessions.changePassword(
          { current: payload.current_password, next: payload.new_password, proof: headers.proof },
          request
        )
    })
  })
)
