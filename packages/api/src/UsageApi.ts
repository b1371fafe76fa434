import { Forbidden, Unavailable } from "@llm-saas/domain/Refusal"
import { Day, GroupBy, RowLimit, UsageCursor, UsageRow } from "@llm-saas/domain/UsageReport"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { InvalidRequest } from "./Failures.ts"

/** Which usage: by default the user's own, from the first of this month to today. */
const period = {
  from: Schema.optionalKey(Day),
  to: Schema.optionalKey(Day),
  scope: Schema.optionalKey(Schema.Literals(["own", "tenant"]))
}

/** A page of the report. */
export const UsageQuery = {
  group_by: Schema.optionalKey(GroupBy),
  ...period,
  limit: Schema.optionalKey(RowLimit),
  cursor: Schema.optionalKey(UsageCursor)
}

/** One page of usage, in the order of what it is grouped by. */
export const UsagePage = Schema.Struct({
  data: Schema.Array(UsageRow),
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: Schema.NullOr(UsageCursor)
}).annotate({ identifier: "UsagePage" })

/** The report as a table too, with where its next page is. */
const tabled = OpenApi.annotations({
  transform: (operation) => {
    const response = operation["responses"]?.[200]
    if (response !== undefined) {
      response.content["application/json"].example = { data: [Examples.usageRow], next_cursor: null }
      response.content["text/csv"] = {
        schema: { type: "string" },
        example: "model,requests,errors\r\ngpt-5,1204,3\r\n"
      }
      response.headers = {
        Link: {
          description:
            'Of a table: the address of the next page, with `rel="next"` (RFC 8288). Absent on the last one.',
          schema: { type: "string" },
          required: false
        }
      }
    }
    return operation
  }
})

const report = HttpApiEndpoint.get("report", "/usage", {
  query: { ...UsageQuery, format: Schema.optionalKey(Schema.Literals(["json", "csv"])) },
  success: UsagePage,
  error: [InvalidRequest, Forbidden, Unavailable]
})
  .annotateMerge(tabled)
  .annotateMerge(
    OpenApi.annotations({
      summary: "What was used, and what it cost",
      description:
        "Sums of whole days in UTC, from `from` to `to` and with both, by what `group_by` names: some of `day`, `user`, `key`, `model` and `door` with commas between them, or one row of all. An answer counts on the day when it ended, at once. `scope=tenant` is for admins, and has all users.\n\n`units` are what is paid for: each token is in one of them. `cost_usd` is exact, a decimal as text; `unpriced` answers are those of which a price or a count is not known. `key_id` null is a login. Latencies are of completed answers, from the request to the end and to the first token (`ttft`), within 5 %.\n\nRows are in the order of what they are grouped by, 100 a page, at most 1,000. With `format=csv` or `Accept: text/csv` it is a table, whose next page is in the `Link` header (RFC 8288)."
    })
  )

const exported = HttpApiEndpoint.get("export", "/usage/export", {
  query: { ...period, format: Schema.optionalKey(Schema.Literals(["jsonl", "csv"])) },
  success: HttpApiSchema.StreamUint8Array({ contentType: ["application/x-ndjson", "text/csv"] }),
  error: [Forbidden, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Each answer, and what it cost",
    description:
      "Answers and corrections in the order of time, a line each, streamed for as long as there are any: JSON lines, or a table with `format=csv` or `Accept: text/csv`. A connection that ends before the last line is cut: the file is not whole."
  })
)

/** What was used. */
export class UsageApi extends HttpApiGroup.make("usage")
  .add(report, exported)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "Usage", description: "What was used, and what it cost." })) {}
