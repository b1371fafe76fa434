import { Context } from "effect"

/** The current request's id: in its answer, its log line and its audit events. `-` outside of a request. */
export const RequestId = Context.Reference<string>("@llm-saas/domain/RequestId", { defaultValue: () => "-" })
