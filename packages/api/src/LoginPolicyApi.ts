import { ProofRequired } from "@llm-saas/domain/Factor"
import { LoginPolicy, LoginPolicyChoice } from "@llm-saas/domain/LoginPolicy"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { proofHeader } from "./Proof.ts"

const one = { id: TenantId }

const MEANS =
  "`second_factor`: who must have one, `optional`, `admins` or `everybody`. Who has none sets one up with the next login; tokens and API keys "
  + "that are there work on. `second_factor_after_sso`: whether single sign-on is asked for it too. `tenant_switch`: whether a login elsewhere may be "
  + "switched to an account here. `link_by_email`: whether a provider of the installation leads to an account by an address that both have "
  + "verified, once the person agrees; false where it is left out."

const get = HttpApiEndpoint.get("get", "/tenants/:id/login-policy", {
  params: one,
  success: LoginPolicy,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.loginPolicy))
  .annotateMerge(OpenApi.annotations({ summary: "What is asked of logins", description: `${MEANS} Admins only.` }))

const put = HttpApiEndpoint.put("put", "/tenants/:id/login-policy", {
  headers: proofHeader,
  params: one,
  payload: LoginPolicyChoice,
  success: LoginPolicy,
  error: [TenantNotFound, ProofRequired, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.loginPolicy, Examples.loginPolicy))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change what is asked of logins",
      description: `${MEANS} Holds from the next login on. An admin with a second factor proves it for this. Admins only.`
    })
  )

/** What a tenant asks of logins. */
export class LoginPolicyApi extends HttpApiGroup.make("loginPolicy")
  .add(get, put)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(OpenApi.annotations({ title: "Login policy", description: "For a tenant's admins." })) {}
