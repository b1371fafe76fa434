import { Context } from "effect"

/** Set on a GET endpoint whose every call is expensive: HEAD then does not run it, and answers 405. */
export const Costly = Context.Reference<boolean>("@llm-saas/api/Costly", { defaultValue: () => false })
