import {
  ApiKey,
  CurrentKey,
  KeyId,
  KeyNotFound,
  NewApiKey,
  ServiceAccount,
  ServiceAccountNotFound
} from "@llm-saas/domain/ApiKey"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { changeable, changesKey, CreateKey, KeyPage, KeyQuery, rotation } from "./KeysApi.ts"
import { PageQuery } from "./Page.ts"
import { ChangeServiceAccount, CreateServiceAccount, ServiceAccountPage } from "./ServiceAccountsApi.ts"

const one = { id: KeyId }

/** API keys: `/keys…`, `GET /v1/key`. */
const keys = RpcGroup.make(
  Rpc.make("keys.create", {
    payload: { ...CreateKey.fields, ...keyMember },
    success: NewApiKey,
    error: Schema.Union([...refusals, ServiceAccountNotFound, IdempotencyMismatch, LimitBeyondPlan])
  }),
  Rpc.make("keys.list", { payload: KeyQuery, success: KeyPage, error: Schema.Union(refusals) }),
  Rpc.make("keys.get", { payload: one, success: ApiKey, error: Schema.Union([...refusals, KeyNotFound]) }),
  Rpc.make("keys.change", {
    payload: Schema.Struct({ ...one, ...changeable }).check(changesKey),
    success: ApiKey,
    error: Schema.Union([...refusals, KeyNotFound, LimitBeyondPlan])
  }),
  Rpc.make("keys.remove", { payload: one, error: Schema.Union([...refusals, KeyNotFound]) }),
  Rpc.make("keys.rotate", {
    payload: { ...one, ...rotation, ...keyMember },
    success: NewApiKey,
    error: Schema.Union([...refusals, KeyNotFound, IdempotencyMismatch])
  }),
  Rpc.make("keys.current", { success: CurrentKey, error: Schema.Union([...refusals, KeyNotFound]) })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user")

/** A tenant's service accounts: `/service-accounts…`. */
const serviceAccounts = RpcGroup.make(
  Rpc.make("serviceAccounts.create", {
    payload: { ...CreateServiceAccount.fields, ...keyMember },
    success: ServiceAccount,
    error: Schema.Union([...refusals, IdempotencyMismatch, LimitBeyondPlan])
  }),
  Rpc.make("serviceAccounts.list", { payload: PageQuery, success: ServiceAccountPage, error: Schema.Union(refusals) }),
  Rpc.make("serviceAccounts.get", {
    payload: { id: UserId },
    success: ServiceAccount,
    error: Schema.Union([...refusals, ServiceAccountNotFound])
  }),
  Rpc.make("serviceAccounts.change", {
    payload: { id: UserId, ...ChangeServiceAccount.fields },
    success: ServiceAccount,
    error: Schema.Union([...refusals, ServiceAccountNotFound, LimitBeyondPlan])
  }),
  Rpc.make("serviceAccounts.remove", {
    payload: { id: UserId },
    error: Schema.Union([...refusals, ServiceAccountNotFound])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** API keys, and the service accounts that own some. */
export class KeysRpc extends keys.merge(serviceAccounts) {}
