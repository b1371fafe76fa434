import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { ProviderKey, ProviderKeyId, ProviderKeyNotFound, ProviderNotFound } from "@llm-saas/domain/ProviderKey"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { PageQuery } from "./Page.ts"
import { changeableOfProviderKey, changesProviderKey, CreateProviderKey, ProviderKeyPage } from "./ProviderKeysApi.ts"

const one = { id: ProviderKeyId }

/** A tenant's own keys at providers: `/provider-keys…`. */
export class ProviderKeysRpc extends RpcGroup.make(
  Rpc.make("providerKeys.create", {
    payload: { ...CreateProviderKey.fields, ...keyMember },
    success: ProviderKey,
    error: Schema.Union([...refusals, ProviderNotFound, IdempotencyMismatch])
  }),
  Rpc.make("providerKeys.list", { payload: PageQuery, success: ProviderKeyPage, error: Schema.Union(refusals) }),
  Rpc.make("providerKeys.change", {
    payload: Schema.Struct({ ...one, ...changeableOfProviderKey }).check(changesProviderKey),
    success: ProviderKey,
    error: Schema.Union([...refusals, ProviderKeyNotFound])
  }),
  Rpc.make("providerKeys.remove", { payload: one, error: Schema.Union([...refusals, ProviderKeyNotFound]) })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin") {}
