import { LinkRefused } from "@llm-saas/domain/AccountLink"
import { ProofRequired } from "@llm-saas/domain/Factor"
import { Password } from "@llm-saas/domain/Password"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Text } from "@llm-saas/domain/Text"
import { EmailInput, EmailTaken } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Given } from "./AccountsApi.ts"
import * as Examples from "./Examples.ts"
import { proofHeader } from "./Proof.ts"

/** An address, and the tenant whose account is meant; without it all accounts of the address are. */
export const MailRequest = Schema.Struct({ email: EmailInput, tenant_id: Schema.optionalKey(TenantId) }).annotate({
  identifier: "MailRequest"
})

/** The token of a link: what stands behind `#token=`. Only its length is limited here: any other text is refused as a wrong one. */
const Token = Text.check(Schema.isMaxCodePoints(512, { expected: "at most 512 characters" }))
  .annotate({ examples: [Examples.ONE_TIME_TOKEN] })
  .pipe(Schema.RedactedFromValue)

/** The token of a link. */
export const MailLink = Schema.Struct({ token: Token }).annotate({ identifier: "MailLink" })

/** The token of a link, and the password of the account, where it has one. */
export const VerifyEmail = Schema.Struct({
  token: Token,
  password: Schema.optionalKey(Given.pipe(Schema.RedactedFromValue))
}).annotate({ identifier: "VerifyEmail" })

/** The token of a link, and the password to choose. */
export const ResetPassword = Schema.Struct({ token: Token, new_password: Password }).annotate({
  identifier: "ResetPassword"
})

/** The new address, and the password of the account. */
export const ChangeEmail = Schema.Struct({
  email: EmailInput,
  password: Given.pipe(Schema.RedactedFromValue)
}).annotate({ identifier: "ChangeEmail" })

const SENT = "202 in any case, at the same moments: the answer does not tell whether there is such an account."

const askReset = HttpApiEndpoint.post("askReset", "/password/reset", {
  payload: MailRequest,
  success: HttpApiSchema.Accepted,
  error: [TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.asked({ email: Examples.user.email }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Forgot my password",
      description: `Sends a link to choose a new password, good once and for 30 minutes, and ends earlier ones. An address with accounts in several tenants gets a mail for each. ${SENT}`
    })
  )

const reset = HttpApiEndpoint.post("reset", "/password/reset/confirm", {
  payload: ResetPassword,
  success: HttpApiSchema.NoContent,
  error: [LinkRefused, PasswordRefused, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.asked({ token: Examples.ONE_TIME_TOKEN, new_password: "correct horse battery staple" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Choose a new password by a link",
      description: "Ends every token and session of the account. The address counts as verified, and is told."
    })
  )

const askVerification = HttpApiEndpoint.post("askVerification", "/email/verification", {
  payload: MailRequest,
  success: HttpApiSchema.Accepted,
  error: [TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.asked({ email: Examples.user.email }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Send the link that verifies an address",
      description: `For people who cannot log in before their address is verified. The link is good once and for a day. ${SENT}`
    })
  )

const verify = HttpApiEndpoint.post("verify", "/email/verify", {
  payload: VerifyEmail,
  success: HttpApiSchema.NoContent,
  error: [LinkRefused, InvalidCredentials, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.asked({ token: Examples.ONE_TIME_TOKEN, password: "correct horse battery staple" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Verify an address by a link",
      description:
        "With the password of the account, where it has one: who reads the mail and did not register has none (401 `invalid_credentials`, and the link stays), and chooses one by `POST /password/reset`. A wrong one counts as a failed login. The link is used by that."
    })
  )

const confirmEmail = HttpApiEndpoint.post("confirmEmail", "/email/change", {
  payload: MailLink,
  success: HttpApiSchema.NoContent,
  error: [LinkRefused, EmailTaken, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.asked({ token: Examples.ONE_TIME_TOKEN }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Use a new address by a link",
      description:
        "The account has the address that the link was sent to, verified; the earlier one is told. If another account of the tenant has it by now, nothing changes."
    })
  )

const sendVerification = HttpApiEndpoint.post("sendVerification", "/me/email/verify", {
  success: HttpApiSchema.Accepted,
  error: [TooManyRequests, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(
    OpenApi.annotations({
      summary: "Verify my address",
      description: "Sends a link that verifies it, good once and for a day, unless it is verified."
    })
  )

const changeEmail = HttpApiEndpoint.post("changeEmail", "/me/email", {
  headers: proofHeader,
  payload: ChangeEmail,
  success: HttpApiSchema.Accepted,
  error: [InvalidCredentials, ProofRequired, TooManyRequests, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(Examples.asked({ email: "alice@acme.example", password: "correct horse battery staple" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change my address",
      description:
        "Sends a link to the new address, good once and for a day, and a notice to the one there is. Nothing changes before the link is followed. The answer does not tell whether another account has the address. An account with a second factor proves it for this (`POST /me/proof`)."
    })
  )

/** What is done by links in mails. */
export class MailApi extends HttpApiGroup.make("mail")
  .add(askReset, reset, askVerification, verify, confirmEmail, sendVerification, changeEmail)
  .annotateMerge(
    OpenApi.annotations({
      title: "Mail",
      description: "What is done by links in mails: forgotten passwords, and verified and changed addresses."
    })
  ) {}
