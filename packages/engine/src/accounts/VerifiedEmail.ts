import { Context } from "effect"

/** Whether people log in with a password only once their address is verified. */
export const RequireVerifiedEmail = Context.Reference<boolean>("@llm-saas/engine/accounts/RequireVerifiedEmail", {
  defaultValue: () => false
})
