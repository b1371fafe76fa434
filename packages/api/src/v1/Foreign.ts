import { Context } from "effect"

/**
 * Set on an endpoint of another API's contract, as clients made for that API call it: it takes query parameters that it does not know, and
 * larger bodies, which its handler reads once the caller is known.
 */
export const Foreign = Context.Reference<boolean>("@llm-saas/api/v1/Foreign", { defaultValue: () => false })
