import { UsageRpc } from "@llm-saas/api/UsageRpc"
import { UsageReports } from "@llm-saas/engine/usage/UsageReports"
import { Effect } from "effect"
import { pageOf } from "../../http/handlers/usage.ts"

/** `usage.report`. */
export const UsageCalls = UsageRpc.toLayer(
  Effect.map(UsageReports, (reports) => UsageRpc.of({ "usage.report": (query) => pageOf(reports, query) }))
)
