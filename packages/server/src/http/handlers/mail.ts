import { Api } from "@llm-saas/api/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { MailRequests } from "../../auth/MailRequests.ts"

/** `/password/reset…`, `/email…`, `/me/email…`. */
export const MailHandlers = HttpApiBuilder.group(
  Api,
  "mail",
  Effect.fnUntraced(function* (handlers) {
    const mail = yield* MailRequests
    return handlers.handleAll({
      askReset: ({ payload, request }) => mail.askReset(payload, request),
      reset: ({ payload, request }) => mail.reset(payload, request),
      askVerification: ({ payload, request }) => mail.askVerification(payload, request),
      verify: ({ payload, request }) => mail.verify(payload, request),
      confirmEmail: ({ payload, request }) => mail.confirmEmail(payload, request),
      sendVerification: () => mail.sendVerification,
      changeEmail: ({ headers, payload, request }) => mail.changeEmail({ ...payload, proof: headers.proof }, request)
    })
  })
)
