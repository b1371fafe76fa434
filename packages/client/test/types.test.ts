import { assert, it } from "@effect/vitest"
import type { Token } from "@llm-saas/api/AccountsApi"
import type { AnswerUnderWay } from "@llm-saas/domain/AnswerUnderWay"
import type { ApiKey, CurrentKey, NewApiKey, ServiceAccount } from "@llm-saas/domain/ApiKey"
import type { ConversationPage } from "@llm-saas/api/ConversationsApi"
import type { change } from "@llm-saas/api/AdminApi"
import type { ChangeServiceAccount, CreateServiceAccount } from "@llm-saas/api/ServiceAccountsApi"
import type { changeable, CreateKey, KeyPage } from "@llm-saas/api/KeysApi"
import type { MessagePage, Question } from "@llm-saas/api/MessagesApi"
import type { About } from "@llm-saas/api/SystemApi"
import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import type { UserPage } from "@llm-saas/api/TenantsApi"
import type { Conversation } from "@llm-saas/domain/Conversation"
import type { AddedFactor, Factors, NewTotp } from "@llm-saas/domain/Factor"
import type { Proof, Prove } from "@llm-saas/api/FactorsApi"
import type { LoginAnswer, SecondFactor } from "@llm-saas/api/SecondFactorApi"
import type { LoginPolicy } from "@llm-saas/domain/LoginPolicy"
import type { Feedback } from "@llm-saas/domain/Feedback"
import type { Generation } from "@llm-saas/domain/Generation"
import type { IsolationReport } from "@llm-saas/domain/Isolation"
import type { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import type { Invitation, InvitationOffer } from "@llm-saas/domain/Invitation"
import type { Message } from "@llm-saas/domain/Message"
import type { Erasure, Health, OperatorTenant, OperatorUsage } from "@llm-saas/domain/Operator"
import type { OperatorPrice } from "@llm-saas/domain/OperatorPrice"
import type { Plan, PlanChoice } from "@llm-saas/domain/Plan"
import type { ProblemCode } from "@llm-saas/domain/Problem"
import type { ContentRetention, ContentRetentionChoice, Tenant } from "@llm-saas/domain/Tenant"
import type { PasswordFlaw } from "@llm-saas/domain/PasswordRules"
import type { Profile, User } from "@llm-saas/domain/User"
import type { Schema } from "effect"
import { readFileSync } from "node:fs"
import type * as Plain from "../src/plain/Types.ts"

/** `true` if two types are equal; otherwise `true` does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : { readonly lacks: A }) : { readonly differs: B }

// The first of each is the plain client's, the second the API's encoded type.
const same: {
  readonly about: Same<Plain.About, typeof About.Encoded>
  readonly tenant: Same<Plain.Tenant, typeof Tenant.Encoded>
  readonly retention: Same<Plain.ContentRetention, typeof ContentRetention.Encoded>
  readonly retentionChoice: Same<Plain.ContentRetentionChoice, typeof ContentRetentionChoice.Encoded>
  readonly user: Same<Plain.User, typeof User.Encoded>
  readonly profile: Same<Plain.Profile, typeof Profile.Encoded>
  readonly token: Same<Plain.Token, typeof Token.Encoded>
  readonly secondFactor: Same<Plain.SecondFactor, typeof SecondFactor.Encoded>
  readonly loginAnswer: Same<Plain.LoginAnswer, typeof LoginAnswer.Encoded>
  readonly factors: Same<Plain.Factors, typeof Factors.Encoded>
  readonly newTotp: Same<Plain.NewTotp, typeof NewTotp.Encoded>
  readonly addedFactor: Same<Plain.AddedFactor, typeof AddedFactor.Encoded>
  readonly prove: Same<Plain.Prove, typeof Prove.Encoded>
  readonly proof: Same<Plain.Proof, typeof Proof.Encoded>
  readonly loginPolicy: Same<Plain.LoginPolicy, typeof LoginPolicy.Encoded>
  readonly invitation: Same<Plain.Invitation, typeof Invitation.Encoded>
  readonly invitationOffer: Same<Plain.InvitationOffer, typeof InvitationOffer.Encoded>
  readonly passwordFlaw: Same<Plain.PasswordFlaw, PasswordFlaw>
  readonly message: Same<Plain.Message, typeof Message.Encoded>
  readonly conversation: Same<Plain.Conversation, typeof Conversation.Encoded>
  readonly underWay: Same<Plain.AnswerUnderWay, typeof AnswerUnderWay.Encoded>
  readonly generation: Same<Plain.Generation, typeof Generation.Encoded>
  readonly feedback: Same<Plain.Feedback, typeof Feedback.Encoded>
  readonly isolation: Same<Plain.IsolationReport, typeof IsolationReport.Encoded>
  readonly event: Same<Plain.StreamEvent, typeof StreamEvent.Encoded>
  readonly question: Same<Plain.Question, typeof Question.Encoded>
  readonly messages: Same<Plain.Page<Plain.Message>, typeof MessagePage.Encoded>
  readonly conversations: Same<Plain.Page<Plain.Conversation>, typeof ConversationPage.Encoded>
  readonly key: Same<Plain.ApiKey, typeof ApiKey.Encoded>
  readonly newKey: Same<Plain.NewApiKey, typeof NewApiKey.Encoded>
  readonly currentKey: Same<Plain.CurrentKey, typeof CurrentKey.Encoded>
  readonly createKey: Same<Plain.CreateKey, typeof CreateKey.Encoded>
  readonly changeKey: Same<Plain.ChangeKey, Schema.Struct.Encoded<typeof changeable>>
  readonly keys: Same<Plain.Page<Plain.ApiKey>, typeof KeyPage.Encoded>
  readonly serviceAccount: Same<Plain.ServiceAccount, typeof ServiceAccount.Encoded>
  readonly users: Same<Plain.Page<Plain.ManagedUser>, typeof UserPage.Encoded>
  readonly limits: Same<Plain.LimitsInForce, typeof LimitsInForce.Encoded>
  readonly changeUser: Same<Plain.ChangeUser, Schema.Struct.Encoded<typeof change>>
  readonly createServiceAccount: Same<Plain.CreateServiceAccount, typeof CreateServiceAccount.Encoded>
  readonly operatorTenant: Same<Plain.OperatorTenant, typeof OperatorTenant.Encoded>
  readonly operatorHealth: Same<Plain.OperatorHealth, typeof Health.Encoded>
  readonly operatorUsage: Same<Plain.OperatorUsage, typeof OperatorUsage.Encoded>
  readonly operatorPrice: Same<Plain.OperatorPrice, typeof OperatorPrice.Encoded>
  readonly erasure: Same<Plain.Erasure, typeof Erasure.Encoded>
  readonly plan: Same<Plain.Plan, typeof Plan.Encoded>
  readonly planChoice: Same<Plain.PlanChoice, typeof PlanChoice.Encoded>
  readonly changeServiceAccount: Same<Plain.ChangeServiceAccount, typeof ChangeServiceAccount.Encoded>
} = {
  about: true,
  tenant: true,
  retention: true,
  retentionChoice: true,
  user: true,
  profile: true,
  token: true,
  secondFactor: true,
  loginAnswer: true,
  factors: true,
  newTotp: true,
  addedFactor: true,
  prove: true,
  proof: true,
  loginPolicy: true,
  invitation: true,
  invitationOffer: true,
  passwordFlaw: true,
  message: true,
  conversation: true,
  underWay: true,
  generation: true,
  feedback: true,
  isolation: true,
  event: true,
  question: true,
  messages: true,
  conversations: true,
  key: true,
  newKey: true,
  currentKey: true,
  createKey: true,
  changeKey: true,
  keys: true,
  serviceAccount: true,
  users: true,
  limits: true,
  changeUser: true,
  createServiceAccount: true,
  operatorTenant: true,
  operatorHealth: true,
  operatorUsage: true,
  operatorPrice: true,
  erasure: true,
  plan: true,
  planChoice: true,
  changeServiceAccount: true
}

const codes: Same<Plain.ProblemCode, ProblemCode> = true

it("the plain client's types are the API's", () => {
  assert.isTrue(codes)
  for (const [name, equal] of Object.entries(same)) assert.isTrue(equal, name)
})

it("the types are those of the contract's document: `npm run openapi` writes them", async () => {
  const root = new URL("../../../", import.meta.url)
  const { clientTypes }: { readonly clientTypes: (document: unknown) => string } = await import(
    new URL("scripts/client-types.mjs", root).href
  )
  const document: unknown = JSON.parse(readFileSync(new URL("packages/api/openapi.json", root), "utf8"))
  assert.strictEqual(readFileSync(new URL("packages/client/src/plain/Schemas.ts", root), "utf8"), clientTypes(document))
})
