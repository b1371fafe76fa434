import { AuditRpc } from "@llm-saas/api/AuditRpc"
import { AuditEvents } from "@llm-saas/engine/AuditEvents"
import { Effect } from "effect"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"

/** `audit.…`. */
export const AuditCalls = AuditRpc.toLayer(
  Effect.map(AuditEvents, (events) =>
    AuditRpc.of({
      "audit.list": ({ cursor, id, limit = DEFAULT_PAGE, ...query }) => events.page(id, { ...query, limit, cursor })
    })
  )
)
