import { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { Membership, SessionRequired } from "@llm-saas/domain/Membership"
import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused } from "@llm-saas/domain/Session"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Given, Token, Want } from "./AccountsApi.ts"
import * as Examples from "./Examples.ts"

/** The accounts that a session may lead to. */
export const Memberships = Schema.Struct({ data: Schema.Array(Membership) }).annotate({ identifier: "Memberships" })

const list = HttpApiEndpoint.get("list", "/me/tenants", { success: Memberships, error: Unavailable })
  .annotateMerge(Examples.answers(200, { data: [Examples.membership] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List my tenants",
      description:
        "The account of this request, and those of other tenants with the same address whose password was given in this session. An account whose password was not given is in no list, whatever its address."
    })
  )

/** An account of the same address in another tenant. */
export const AddMembership = Schema.Struct({
  tenant_id: TenantId,
  password: Given.pipe(Schema.RedactedFromValue)
}).annotate({ identifier: "AddMembership" })

const add = HttpApiEndpoint.post("add", "/me/tenants", {
  payload: AddMembership,
  success: Memberships,
  error: [InvalidCredentials, SessionRequired, TooManyRequests, Unavailable]
})
  .annotateMerge(
    Examples.answers(
      200,
      { data: [Examples.membership] },
      { tenant_id: Examples.tenant.id, password: "correct horse battery staple" }
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Add a tenant that I have an account in",
      description:
        "With the password of the account there, which has the same address. Counted as a login, and refused alike. It lasts as long as this session, and ends with a new password there."
    })
  )

/** The form of the new session: a refresh token, unless it is a cookie that is wanted. */
export const OpenMembership = Schema.Struct({ session: Schema.optionalKey(Want) }).annotate({
  identifier: "OpenMembership"
})

const open = HttpApiEndpoint.post("open", "/me/tenants/:id/session", {
  params: { id: TenantId },
  payload: [OpenMembership, Schema.Undefined],
  success: Token,
  error: [TenantNotFound, SessionRequired, SecondFactorRequired, CsrfRefused, TooManyRequests, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.sessionToken))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Switch to another of my tenants",
      description:
        'A new session of the account there, without a password; it ends no later than this one, which goes on, and leads to the same tenants. An account there with a second factor is asked for it, as at a login. A tenant may forbid it (`tenant_switch` of its login policy). Its tokens are for that tenant alone. With `session: "cookie"` it takes the place of this session\'s cookie.'
    })
  )

/** One person's accounts in several tenants. */
export class MembershipsApi extends HttpApiGroup.make("memberships")
  .add(list, add, open)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "My tenants", description: "One person, several tenants." })) {}
