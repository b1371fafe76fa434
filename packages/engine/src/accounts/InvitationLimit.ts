import type { Outside } from "@llm-saas/domain/Outside"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { Email } from "@llm-saas/domain/User"
import { Context, type Effect } from "effect"

/** How many mails a tenant may have sent to people who have no account. Counted for all processes together. */
export class InvitationLimit extends Context.Service<
  InvitationLimit,
  {
    /** Counts one more mail of the tenant to this address, or refuses. */
    readonly count: (tenant: TenantId, address: Email) => Effect.Effect<void, TooManyRequests | Unavailable>
  }
>()("@llm-saas/engine/accounts/InvitationLimit") {
  declare readonly outside: Outside["outside"]
}
