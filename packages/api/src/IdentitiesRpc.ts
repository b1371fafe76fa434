import { ProofRequired } from "@llm-saas/domain/Factor"
import { IdentityNotFound, LastLogin, SsoIdentityId } from "@llm-saas/domain/SsoIdentity"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { IdentityList } from "./IdentitiesApi.ts"
import { proofMember } from "./Proof.ts"

/** `/me/identities…`. */
export class IdentitiesRpc extends RpcGroup.make(
  Rpc.make("identities.list", { success: IdentityList, error: Schema.Union(refusals) }),
  Rpc.make("identities.remove", {
    payload: { id: SsoIdentityId, ...proofMember },
    error: Schema.Union([...refusals, IdentityNotFound, LastLogin, ProofRequired])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}
