import { Context } from "effect"

/** Set on an endpoint that takes larger bodies, which its handler reads and decodes once the caller is known. */
export const OwnBody = Context.Reference<boolean>("@llm-saas/api/OwnBody", { defaultValue: () => false })
