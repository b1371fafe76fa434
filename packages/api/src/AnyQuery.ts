import { Context } from "effect"

/** Set on a GET endpoint that others redirect to, with query parameters of their own. */
export const AnyQuery = Context.Reference<boolean>("@llm-saas/api/AnyQuery", { defaultValue: () => false })
