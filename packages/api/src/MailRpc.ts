import { LinkRefused } from "@llm-saas/domain/AccountLink"
import { ProofRequired } from "@llm-saas/domain/Factor"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { EmailTaken } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { proofMember } from "./Proof.ts"
import { ChangeEmail, MailLink, MailRequest, ResetPassword, VerifyEmail } from "./MailApi.ts"

const limited = [TooManyRequests, Unavailable] as const

/** `/password/reset…`, `/email…`: without a token. */
const open = RpcGroup.make(
  Rpc.make("mail.askReset", { payload: MailRequest, error: Schema.Union(limited) }),
  Rpc.make("mail.reset", { payload: ResetPassword, error: Schema.Union([LinkRefused, PasswordRefused, ...limited]) }),
  Rpc.make("mail.askVerification", { payload: MailRequest, error: Schema.Union(limited) }),
  Rpc.make("mail.verify", { payload: VerifyEmail, error: Schema.Union([LinkRefused, InvalidCredentials, ...limited]) }),
  Rpc.make("mail.confirmEmail", { payload: MailLink, error: Schema.Union([LinkRefused, EmailTaken, ...limited]) })
).annotateRpcs(Access, "public")

/** `/me/email…`. */
const own = RpcGroup.make(
  Rpc.make("mail.sendVerification", { error: Schema.Union([...refusals, TooManyRequests]) }),
  Rpc.make("mail.changeEmail", {
    payload: { ...ChangeEmail.fields, ...proofMember },
    error: Schema.Union([...refusals, InvalidCredentials, ProofRequired, TooManyRequests])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user")

/** What is done by links in mails. */
export class MailRpc extends open.merge(own) {}
