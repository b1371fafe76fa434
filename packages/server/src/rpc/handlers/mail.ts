import { MailRpc } from "@llm-saas/api/MailRpc"
import { Effect } from "effect"
import { MailRequests } from "../../auth/MailRequests.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `mail.…`. */
export const MailCalls = MailRpc.toLayer(
  Effect.gen(function* () {
    const mail = yield* MailRequests
    return MailRpc.of({
      "mail.askReset": (request) => Effect.flatMap(CurrentSender, (from) => mail.askReset(request, from)),
      "mail.reset": (reset) => Effect.flatMap(CurrentSender, (from) => mail.reset(reset, from)),
      "mail.askVerification": (request) => Effect.flatMap(CurrentSender, (from) => mail.askVerification(request, from)),
      "mail.verify": (link) => Effect.flatMap(CurrentSender, (from) => mail.verify(link, from)),
      "mail.confirmEmail": (link) => Effect.flatMap(CurrentSender, (from) => mail.confirmEmail(link, from)),
      "mail.sendVerification": () => mail.sendVerification,
      "mail.changeEmail": (change) => Effect.flatMap(CurrentSender, (from) => mail.changeEmail(change, from))
    })
  })
)
