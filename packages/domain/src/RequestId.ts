import { Context } from "effect"

/** The id of the request being served: in its answer, its log line and its audit events. `-` outside of a request. */
export const RequestId = Context.Reference<string>("@llm-saas/domain/RequestId", { defaultValue: () => "-" })
