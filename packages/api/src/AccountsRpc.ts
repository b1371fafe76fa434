import { EmailUnverified } from "@llm-saas/domain/AccountLink"
import { ProofRequired, SecondFactorRequired } from "@llm-saas/domain/Factor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { InvalidCredentials, TenantRequired, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { Profile, RegistrationRefused, User } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { ChangePassword, Credentials, Register, Token } from "./AccountsApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { proofMember } from "./Proof.ts"

/** `POST /register`, `POST /login`: without a token. */
const open = RpcGroup.make(
  Rpc.make("accounts.register", {
    payload: { ...Register.fields, ...keyMember },
    success: User,
    error: Schema.Union([RegistrationRefused, PasswordRefused, IdempotencyMismatch, TooManyRequests, Unavailable])
  }),
  Rpc.make("accounts.login", {
    // A cookie is for pages that speak HTTP.
    payload: { ...Credentials.fields, session: Schema.optionalKey(Schema.Boolean) },
    success: Token,
    error: Schema.Union([
      InvalidCredentials,
      TenantRequired,
      EmailUnverified,
      SecondFactorRequired,
      TooManyRequests,
      Unavailable
    ])
  })
).annotateRpcs(Access, "public")

/** `GET /me`, `POST /me/password`. */
const own = RpcGroup.make(
  Rpc.make("accounts.me", { success: Profile, error: Schema.Union(refusals) }),
  Rpc.make("accounts.changePassword", {
    payload: { ...ChangePassword.fields, ...proofMember },
    success: Token,
    error: Schema.Union([...refusals, InvalidCredentials, ProofRequired, PasswordRefused, TooManyRequests])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user")

/** A user's own account. */
export class AccountsRpc extends open.merge(own) {}
