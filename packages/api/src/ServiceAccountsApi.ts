import { KeyName, ServiceAccount, ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { allowance, LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Role, UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** A service account to create. */
export const CreateServiceAccount = Schema.Struct({
  name: KeyName,
  role: Schema.optionalKey(Role),
  ...allowance
}).annotate({
  identifier: "CreateServiceAccount",
  description: "`role` is `user` unless said otherwise."
})

/** Its limits and budget; those left out stay. */
export const ChangeServiceAccount = Schema.Struct(allowance).annotate({ identifier: "ChangeServiceAccount" })

/** One page of service accounts. */
export const ServiceAccountPage = pageOf("ServiceAccountPage", ServiceAccount)

const create = HttpApiEndpoint.post("create", "/service-accounts", {
  headers: keyHeader,
  payload: CreateServiceAccount,
  success: ServiceAccount.pipe(HttpApiSchema.status(201)),
  error: [IdempotencyMismatch, LimitBeyondPlan, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.serviceAccount, { name: "nightly report" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Create a service account",
      description:
        "It cannot log in: it is used by the keys that admins make for it, which work on when the admin has left. What is asked with them belongs to the service account."
    })
  )

const list = HttpApiEndpoint.get("list", "/service-accounts", {
  query: PageQuery,
  success: ServiceAccountPage,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: [Examples.serviceAccount], next_cursor: null }))
  .annotateMerge(OpenApi.annotations({ summary: "List service accounts", description: "Newest first." }))

const get = HttpApiEndpoint.get("get", "/service-accounts/:id", {
  params: { id: UserId },
  success: ServiceAccount,
  error: [ServiceAccountNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.serviceAccount))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Read a service account",
      description: "With the limits and the budget of its own."
    })
  )

const change = HttpApiEndpoint.patch("change", "/service-accounts/:id", {
  params: { id: UserId },
  payload: ChangeServiceAccount,
  success: ServiceAccount,
  error: [ServiceAccountNotFound, LimitBeyondPlan, Unavailable]
})
  .annotateMerge(
    Examples.answers(
      200,
      { ...Examples.serviceAccount, limits: Examples.limits, budget: Examples.budget },
      Examples.allowance
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a service account's limits and budget",
      description:
        "They hold for all of its keys together, within the tenant's plan. Of `limits` those left out stay, and null takes one away; `budget` is replaced as a whole."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/service-accounts/:id", {
  params: { id: UserId },
  success: HttpApiSchema.NoContent,
  error: [ServiceAccountNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete a service account",
    description:
      "Gone at once, with its keys and everything that is its own, as when a user is deleted; the account of what it took stays."
  })
)

/** A tenant's service accounts. */
export class ServiceAccountsApi extends HttpApiGroup.make("serviceAccounts")
  .add(create, list, get, change, remove)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      title: "Service accounts",
      description: "For a tenant's admins: owners of keys who are no people."
    })
  ) {}
