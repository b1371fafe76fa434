import {
  AddedFactor,
  ChallengeEnded,
  FactorId,
  FactorNotFound,
  FactorRequired,
  Factors,
  InvalidSecondFactor,
  NewTotp,
  PasskeyRefused,
  ProofRequired
} from "@llm-saas/domain/Factor"
import { LoginPolicy, LoginPolicyChoice } from "@llm-saas/domain/LoginPolicy"
import { PasskeyCreation } from "@llm-saas/domain/Passkey"
import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { AddPasskey, BeginTotp, ConfirmTotp, FactorList, NewRecoveryCodes, Proof, Prove } from "./FactorsApi.ts"
import { proofMember } from "./Proof.ts"
import { EnrolTotp, LoginAnswer, SecondFactor } from "./SecondFactorApi.ts"

/** The second step of a login: `/login/second-factor…`. */
const open = RpcGroup.make(
  Rpc.make("secondFactor.answer", {
    payload: SecondFactor,
    success: LoginAnswer,
    error: Schema.Union([InvalidSecondFactor, ChallengeEnded, TooManyRequests, Unavailable])
  }),
  Rpc.make("secondFactor.enrol", {
    payload: EnrolTotp,
    success: NewTotp,
    error: Schema.Union([ChallengeEnded, Unavailable])
  })
).annotateRpcs(Access, "public")

/** `/me/factors…`, `POST /me/proof`. */
const own = RpcGroup.make(
  Rpc.make("factors.list", { success: Factors, error: Schema.Union(refusals) }),
  Rpc.make("factors.prove", {
    payload: Prove,
    success: Proof,
    error: Schema.Union([...refusals, InvalidCredentials, InvalidSecondFactor, ChallengeEnded, TooManyRequests])
  }),
  Rpc.make("factors.passkeyProof", { success: PasskeyCreation, error: Schema.Union(refusals) }),
  Rpc.make("factors.beginPasskey", {
    payload: proofMember,
    success: PasskeyCreation,
    error: Schema.Union([...refusals, ProofRequired])
  }),
  Rpc.make("factors.addPasskey", {
    payload: AddPasskey,
    success: AddedFactor,
    error: Schema.Union([...refusals, ChallengeEnded, PasskeyRefused])
  }),
  Rpc.make("factors.beginTotp", {
    payload: { ...BeginTotp.fields, ...proofMember },
    success: NewTotp,
    error: Schema.Union([...refusals, ProofRequired])
  }),
  Rpc.make("factors.confirmTotp", {
    payload: ConfirmTotp,
    success: AddedFactor,
    error: Schema.Union([...refusals, FactorNotFound, InvalidSecondFactor, TooManyRequests])
  }),
  Rpc.make("factors.remove", {
    payload: { id: FactorId, ...proofMember },
    error: Schema.Union([...refusals, FactorNotFound, FactorRequired, ProofRequired])
  }),
  Rpc.make("factors.recoveryCodes", {
    payload: proofMember,
    success: NewRecoveryCodes,
    error: Schema.Union([...refusals, FactorNotFound, ProofRequired])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user")

/** `/tenants/{id}/users/{user}/factors…`, `/tenants/{id}/login-policy`. */
const admins = RpcGroup.make(
  Rpc.make("factors.listOf", {
    payload: { id: TenantId, user: UserId },
    success: FactorList,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("factors.removeOf", {
    payload: { id: TenantId, user: UserId, factor: FactorId, ...proofMember },
    error: Schema.Union([...refusals, TenantNotFound, FactorNotFound, ProofRequired])
  }),
  Rpc.make("loginPolicy.get", {
    payload: { id: TenantId },
    success: LoginPolicy,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("loginPolicy.put", {
    payload: { id: TenantId, ...LoginPolicyChoice.fields, ...proofMember },
    success: LoginPolicy,
    error: Schema.Union([...refusals, TenantNotFound, ProofRequired])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** Second factors, and what a tenant asks of logins. */
export class FactorsRpc extends open.merge(own, admins) {}
