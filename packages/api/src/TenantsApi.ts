import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import { TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import {
  ContentRetention,
  ContentRetentionChoice,
  Registration,
  Tenant,
  TenantId,
  TenantCreationClosed,
  TenantName,
  TenantNotFound
} from "@llm-saas/domain/Tenant"
import { ManagedUser } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Costly } from "./Costly.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** A tenant to create. */
export const CreateTenant = Schema.Struct({ name: TenantName }).annotate({ identifier: "CreateTenant" })

/** One page of a tenant's users. */
export const UserPage = pageOf("UserPage", ManagedUser)

const create = HttpApiEndpoint.post("create", "/create-tenant", {
  headers: keyHeader,
  payload: CreateTenant,
  success: Tenant.pipe(HttpApiSchema.status(201)),
  error: [TenantCreationClosed, IdempotencyMismatch, Unauthenticated, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.answers(201, Examples.tenant, { name: Examples.tenant.name }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Create a tenant",
      description:
        "Makes an empty tenant. The first user who registers with its id becomes its admin. An installation may ask for a token of its "
        + "own (`TENANT_CREATION_TOKEN`) as `Authorization: Bearer`, or create no tenants here at all (403 `tenant_creation_closed`).",
      override: { security: [{}, { bearer: [] }] }
    })
  )

/** Changeable members of a tenant; those left out stay. */
export const changeableTenant = {
  name: Schema.optionalKey(TenantName),
  registration: Schema.optionalKey(Registration)
}

const SOME = "at least one of name, registration"

/** A change without members is invalid. */
export const changesTenant = Schema.makeFilter(
  ({ name, registration }: { readonly name?: string; readonly registration?: Registration }) =>
    name === undefined && registration === undefined ? `Expected ${SOME}` : undefined,
  { expected: SOME, toJsonSchema: () => ({ anyOf: [{ required: ["name"] }, { required: ["registration"] }] }) }
)

const change = HttpApiEndpoint.patch("change", "/tenants/:id", {
  params: { id: TenantId },
  payload: Schema.Struct(changeableTenant).check(changesTenant).annotate({ identifier: "ChangeTenant" }),
  success: Tenant,
  error: [TenantNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, { ...Examples.tenant, registration: "closed" }, { registration: "closed" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change the tenant's name, or who may register",
      description:
        "`name` is what people see in the tenant, in mails and where they choose between tenants. `registration: closed`: only an admin makes accounts from now on. Admins only; another tenant's id is a 404."
    })
  )

const users = HttpApiEndpoint.get("users", "/tenants/:id/users", {
  params: { id: TenantId },
  query: PageQuery,
  success: UserPage,
  error: [TenantNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, { data: [Examples.managed], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List the tenant's users",
      description:
        "Newest first, `limit` (default 50, at most 100) a page, with the limits and the budget that admins gave them. Complete and free of duplicates while users are added."
    })
  )

const isolation = HttpApiEndpoint.get("isolation", "/tenants/:id/isolation-report", {
  params: { id: TenantId },
  success: IsolationReport,
  error: [TenantNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotate(Costly, true)
  .annotateMerge(Examples.answers(200, Examples.isolation))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Is this tenant kept apart from the others",
      description:
        "Reads the rules from PostgreSQL's catalogue, and tries every verb on every table as another tenant, with and without a room, "
        + "on the connections that serve requests; everything is taken back. About this installation as a whole and at most ten seconds "
        + "old; no tenant's data is in it. `notes` says what it cannot know. Admins only; another tenant's id is a 404."
    })
  )

const KEPT =
  "What is kept of questions and answers: `full`; `days`, for as many days; or `none`: removed a minute or two after the answer's end, "
  + "until when its readers can come back to it. Accounts of answers (who, when, which model, tokens) are kept in any case, and what is "
  + "not kept is not sent to MLflow. A request with `store: false` under `/v1` keeps nothing whatever is set here."

const retention = HttpApiEndpoint.get("retention", "/tenants/:id/retention", {
  params: { id: TenantId },
  success: ContentRetention,
  error: [TenantNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, Examples.retention))
  .annotateMerge(OpenApi.annotations({ summary: "What is kept of content", description: `${KEPT} Admins only.` }))

const changeRetention = HttpApiEndpoint.put("changeRetention", "/tenants/:id/retention", {
  params: { id: TenantId },
  payload: ContentRetentionChoice,
  success: ContentRetention,
  error: [TenantNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, Examples.retention, Examples.retention))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change what is kept of content",
      description: `${KEPT} \`days\` holds for what is stored already too, \`none\` for answers from now on. Admins only.`
    })
  )

/** Creation, settings, users and isolation report of a tenant. */
export class TenantsApi extends HttpApiGroup.make("tenants")
  .add(create, change, retention, changeRetention, users, isolation)
  .annotateMerge(
    OpenApi.annotations({
      title: "Tenants",
      description: "A tenant is a customer of this installation. Tenants cannot see each other."
    })
  ) {}
