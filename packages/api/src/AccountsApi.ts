import { EmailUnverified } from "@llm-saas/domain/AccountLink"
import { ProofRequired, SecondFactorRequired } from "@llm-saas/domain/Factor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Password } from "@llm-saas/domain/Password"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { InvalidCredentials, TenantRequired, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused, SessionId } from "@llm-saas/domain/Session"
import { TenantId } from "@llm-saas/domain/Tenant"
import { EmailInput, Profile, RegistrationRefused, User } from "@llm-saas/domain/User"
import { Text } from "@llm-saas/domain/Text"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { proofHeader } from "./Proof.ts"

/** The email and password of the new account, and its tenant. */
export const Register = Schema.Struct({ email: EmailInput, password: Password, tenant_id: TenantId }).annotate({
  identifier: "Register",
  description: "8 to 256 characters of password; the role is not yours to choose."
})

const register = HttpApiEndpoint.post("register", "/register", {
  headers: keyHeader,
  payload: Register,
  success: User.pipe(HttpApiSchema.status(201)),
  error: [RegistrationRefused, PasswordRefused, IdempotencyMismatch, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(
    Examples.answers(201, Examples.user, {
      email: Examples.user.email,
      password: "password123",
      tenant_id: Examples.tenant.id
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Create an account",
      description: "The first user of a tenant becomes its admin, later ones are users. Every refusal answers alike."
    })
  )

/** A password to compare with the stored hash. Only its length is limited, which limits the cost of hashing. */
export const Given = Schema.String.check(Schema.isMaxCodePoints(2048, { expected: "at most 2048 characters" }))

/** Whether a login is to be a session: `true`, with a refresh token; `cookie`, with that in a cookie, for pages of this server. */
export const Want = Schema.Union([Schema.Boolean, Schema.Literal("cookie")])
export type Want = typeof Want.Type

/** The body of `/login`: the OAuth 2 password form (RFC 6749 §4.3.2), as a form or as JSON. */
export const Credentials = Schema.Struct({
  username: Text.check(Schema.isMaxCodePoints(512, { expected: "at most 512 characters" })).annotate({
    examples: [Examples.user.email]
  }),
  password: Given.annotate({ examples: ["password123"] }).pipe(Schema.RedactedFromValue),
  tenant_id: Schema.optionalKey(TenantId),
  grant_type: Schema.optionalKey(Schema.Literal("password")),
  session: Schema.optionalKey(Want)
}).annotate({ identifier: "Credentials" })

/** The same as a form. Browsers send empty fields too: an empty one counts as left out. */
export const LoginForm = Schema.Struct({
  ...Credentials.fields,
  tenant_id: Schema.optionalKey(Schema.Union([Schema.Literal(""), TenantId])),
  session: Schema.optionalKey(Schema.Literals(["", "true", "false", "cookie"]))
}).annotate({ identifier: "LoginForm" })

/** A bearer token (RFC 6750). `expires_in` is in seconds. Of a session also what renews it, and in how many seconds that ends. */
export const Token = Schema.Struct({
  access_token: Schema.String,
  token_type: Schema.Literal("bearer"),
  expires_in: Schema.Int,
  session_id: Schema.optionalKey(SessionId),
  /** Not with the cookie form. */
  refresh_token: Schema.optionalKey(Schema.String),
  refresh_expires_in: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "Token" })

const login = HttpApiEndpoint.post("login", "/login", {
  payload: [LoginForm.pipe(HttpApiSchema.asFormUrlEncoded()), Credentials],
  success: Token,
  error: [
    InvalidCredentials,
    TenantRequired,
    EmailUnverified,
    SecondFactorRequired,
    CsrfRefused,
    TooManyRequests,
    Unavailable
  ]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.answers(200, Examples.token, { username: Examples.user.email, password: "password123" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Get an access token",
      description:
        '`username` is the email. `tenant_id` is needed only where one email has accounts in several tenants. With `session: true` the login lasts: `refresh_token` renews it by `POST /token`; with `session: "cookie"`, for pages of this server and with the header `X-CSRF: 1`, that token is in a cookie. Every refusal reads alike and takes alike, whether the email has an account or not.'
    })
  )

const me = HttpApiEndpoint.get("me", "/me", {
  success: Profile,
  error: Unavailable
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, Examples.profile))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Who am I",
      description: "The caller's user, as the database has it now, and their tenant."
    })
  )

/** The current and the new password. */
export const ChangePassword = Schema.Struct({
  current_password: Given.pipe(Schema.RedactedFromValue),
  new_password: Password
}).annotate({ identifier: "ChangePassword" })

const changePassword = HttpApiEndpoint.post("changePassword", "/me/password", {
  headers: proofHeader,
  payload: ChangePassword,
  success: Token,
  error: [InvalidCredentials, ProofRequired, PasswordRefused, TooManyRequests, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(
    Examples.answers(200, Examples.token, {
      current_password: "correct horse battery staple",
      new_password: "incorrect horse battery staple"
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change my password",
      description:
        "Ends every token issued before, and every session but the one of this request; the answer is a new token. An account with a second factor proves it for this (`POST /me/proof`)."
    })
  )

/** A user's own account. */
export class AccountsApi extends HttpApiGroup.make("accounts")
  .add(register, login, me, changePassword)
  .annotateMerge(OpenApi.annotations({ title: "Accounts", description: "Register, log in, see yourself." })) {}
