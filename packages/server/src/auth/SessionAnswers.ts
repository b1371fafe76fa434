import type { Token, Want } from "@llm-saas/api/AccountsApi"
import type { SessionId } from "@llm-saas/domain/Session"
import type { Identity } from "@llm-saas/engine/accounts/Accounts"
import { Context, Effect, Layer } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import type { RefreshToken } from "./RefreshTokens.ts"
import { keepInCookie } from "./SessionCookie.ts"

/** What a login or a renewal answers. */
export type TokenAnswer = typeof Token.Type

/** Its form. `none`: an access token alone. `token`: with a refresh token. `cookie`: that one in a cookie. */
export type Form = "none" | "token" | "cookie"

/** The form that a request's `session` asks for. */
export const formOf = (want: Want | undefined): Form =>
  want === "cookie" ? "cookie" : want === true ? "token" : "none"

/** A session as its tokens need it. */
interface Renewable {
  readonly id: SessionId
  /** Seconds until it ends in any case, and unless it is renewed. */
  readonly leftSeconds: number
  readonly idleSeconds: number
}

/** Makes the answers of logins and renewals. */
export class SessionAnswers extends Context.Service<
  SessionAnswers,
  {
    /** An access token alone, of a session or of none. */
    readonly plain: (
      identity: Identity,
      session?: { readonly id: SessionId; readonly leftSeconds: number }
    ) => Effect.Effect<TokenAnswer>
    /** The tokens of a session. */
    readonly renewable: (
      identity: Identity,
      session: Renewable,
      refresh: RefreshToken,
      form: Form
    ) => Effect.Effect<TokenAnswer>
  }
>()("@llm-saas/server/auth/SessionAnswers") {
  static readonly layer = Layer.effect(
    SessionAnswers,
    Effect.map(AccessTokens, (tokens) => {
      const plain: SessionAnswers["Service"]["plain"] = (identity, session) =>
        Effect.map(tokens.issue(identity, session), (issued) => ({
          ...issued,
          token_type: "bearer",
          ...(session === undefined ? {} : { session_id: session.id })
        }))

      const renewable: SessionAnswers["Service"]["renewable"] = Effect.fnUntraced(
        function* (identity, session, refresh, form) {
          const answer = yield* plain(identity, session)
          const refresh_expires_in = Math.max(1, Math.floor(session.idleSeconds))
          if (form === "cookie") yield* keepInCookie(refresh.text, refresh_expires_in)
          return { ...answer, ...(form === "cookie" ? {} : { refresh_token: refresh.text }), refresh_expires_in }
        }
      )
      return SessionAnswers.of({ plain, renewable })
    })
  )
}
