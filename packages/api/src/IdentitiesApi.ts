import { ProofRequired } from "@llm-saas/domain/Factor"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { IdentityNotFound, LastLogin, SsoIdentity, SsoIdentityId } from "@llm-saas/domain/SsoIdentity"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { proofHeader } from "./Proof.ts"

export const IdentityList = Schema.Struct({ data: Schema.Array(SsoIdentity) }).annotate({ identifier: "IdentityList" })

const list = HttpApiEndpoint.get("list", "/me/identities", { success: IdentityList, error: Unavailable })
  .annotateMerge(Examples.answers(200, { data: [Examples.identity] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Who logs in to my account at a provider",
      description:
        "People at identity providers whose login leads to this account. A login makes one: see `docs/single-sign-on.md`."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/me/identities/:id", {
  headers: proofHeader,
  params: { id: SsoIdentityId },
  success: HttpApiSchema.NoContent,
  error: [IdentityNotFound, LastLogin, ProofRequired, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Unlink a person at a provider",
    description:
      "Their login does not lead to this account any more, unless it links them again by the account's verified address. The last way to log in stays (409 `last_login`). Sessions go on: `DELETE /me/sessions` ends them. An account with a password or a second factor proves it for this."
  })
)

/** The people at identity providers who log in to an account. */
export class IdentitiesApi extends HttpApiGroup.make("identities")
  .add(list, remove)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(
    OpenApi.annotations({ title: "Identities", description: "Who logs in to an account by single sign-on." })
  ) {}
