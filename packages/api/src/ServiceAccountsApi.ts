import { KeyName, ServiceAccount, ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Role, UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** A service account to create. */
export const CreateServiceAccount = Schema.Struct({ name: KeyName, role: Schema.optionalKey(Role) }).annotate({
  identifier: "CreateServiceAccount",
  description: "`role` is `user` unless said otherwise."
})

/** One page of service accounts. */
export const ServiceAccountPage = pageOf("ServiceAccountPage", ServiceAccount)

const create = HttpApiEndpoint.post("create", "/service-accounts", {
  headers: keyHeader,
  payload: CreateServiceAccount,
  success: ServiceAccount.pipe(HttpApiSchema.status(201)),
  error: [IdempotencyMismatch, Unavailable]
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
  .add(create, list, remove)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      title: "Service accounts",
      description: "For a tenant's admins: owners of keys who are no people."
    })
  ) {}
