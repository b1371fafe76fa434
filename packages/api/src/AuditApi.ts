import { AuditEvent, AuditType } from "@llm-saas/domain/AuditEvent"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { uuid } from "@llm-saas/domain/Text"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { Moment } from "./KeysApi.ts"
import { pageOf, PageQuery } from "./Page.ts"

const Id = Schema.String.check(uuid)

/** Which events; what is left out does not matter. */
const filters = {
  type: Schema.optionalKey(AuditType),
  actor: Schema.optionalKey(Id),
  subject: Schema.optionalKey(Id),
  from: Schema.optionalKey(Moment),
  to: Schema.optionalKey(Moment)
}

export const AuditQuery = { ...filters, ...PageQuery }

/** One page of the audit log. */
export const AuditPage = pageOf("AuditPage", AuditEvent)

const FILTERS =
  "`type` is one, such as `session.begun`, or the beginning of some, which ends with a dot: `session.`. `actor` is a user's, a service account's or an API key's id, `subject` that of what it was done to; `from` is the earliest time, `to` is after the latest."

const list = HttpApiEndpoint.get("list", "/tenants/:id/audit", {
  params: { id: TenantId },
  query: AuditQuery,
  success: AuditPage,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, { data: [Examples.auditEvent], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "What was done in the tenant",
      description: `Newest first, \`limit\` (default 50, at most 100) a page. ${FILTERS} One request looks at 5,000 events at most: a page may have fewer than \`limit\`, or none, and a \`next_cursor\` all the same. Events have no content and no secret, are written with the deed itself, and never change. Admins only; another tenant's id is a 404.`
    })
  )

const exported = HttpApiEndpoint.get("export", "/tenants/:id/audit/export", {
  params: { id: TenantId },
  query: { ...filters, format: Schema.optionalKey(Schema.Literals(["jsonl", "csv"])) },
  success: HttpApiSchema.StreamUint8Array({ contentType: ["application/x-ndjson", "text/csv"] }),
  error: [TenantNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The same as a file",
    description: `All of them, newest first, a line each, streamed for as long as there are any: JSON lines, or a table with \`format=csv\` or \`Accept: text/csv\`. ${FILTERS} A connection that ends before the last line is cut: the file is not whole.`
  })
)

/** A tenant's audit log. */
export class AuditApi extends HttpApiGroup.make("audit")
  .add(list, exported)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(OpenApi.annotations({ title: "Audit", description: "For a tenant's admins: what was done in it." })) {}
