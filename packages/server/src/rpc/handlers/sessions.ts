import { SessionsRpc } from "@llm-saas/api/SessionsRpc"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Effect } from "effect"
import { bearerOf } from "../../auth/Authorization.ts"
import { Renewals } from "../../auth/Renewals.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `sessions.…`. */
export const SessionsCalls = SessionsRpc.toLayer(
  Effect.map(Effect.all([UserSessions, Renewals]), ([sessions, renewals]) =>
    SessionsRpc.of({
      "sessions.renew": ({ refresh_token }) =>
        Effect.flatMap(CurrentSender, (from) => renewals.renew(refresh_token, "token", from)),
      "sessions.logout": ({ refresh_token = "" }, { headers }) => {
        if (refresh_token !== "") return Effect.flatMap(CurrentSender, (from) => renewals.end(refresh_token, from))
        const accessToken = bearerOf(headers)
        return accessToken === "" ? Effect.fail(new Unauthenticated({})) : renewals.logout(accessToken)
      },
      "sessions.list": ({ cursor, limit }) => sessions.list({ limit: limit ?? DEFAULT_PAGE, cursor }),
      "sessions.end": ({ id }) => sessions.end(id),
      "sessions.endOthers": () => sessions.endOthers,
      "sessions.ofUser": ({ cursor, id, limit, user }) =>
        sessions.ofUser({ tenant: id, user }, { limit: limit ?? DEFAULT_PAGE, cursor }),
      "sessions.endOfUser": ({ id, session, user }) => sessions.endOfUser({ tenant: id, user }, session),
      "sessions.endAllOfUser": ({ id, user }) => sessions.endAllOfUser({ tenant: id, user })
    })
  )
)
