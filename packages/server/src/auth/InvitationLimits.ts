import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { InvitationLimit } from "@llm-saas/engine/accounts/InvitationLimit"
import { Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { Settings } from "../config/Settings.ts"
import { SecretKey } from "./SecretKey.ts"

const DAY_MS = 86_400_000
/** Mails of a tenant to one address in a day. */
const PER_ADDRESS = 10

/**
 * `INVITATIONS_PER_TENANT` mails a day, of which few go to the same address; what is used up leaks away evenly. Both are a tenant's own: what
 * another tenant sends to an address is not counted, so that no tenant can use up another's, or learn from a refusal of whom it invites.
 */
export const InvitationLimitLayer = Layer.effect(
  InvitationLimit,
  Effect.gen(function* () {
    const { INVITATIONS_PER_TENANT } = yield* Settings
    const access = yield* PreTenantAccess
    const { value } = yield* SecretKey
    const key = (...parts: ReadonlyArray<string>) =>
      createHmac("sha256", Redacted.value(value))
        .update(`invitations ${parts.join(" ")}`)
        .digest("base64url")
    return InvitationLimit.of({
      count: (tenant, address) => {
        const counted = [
          { key: key("tenant", tenant.toLowerCase()), limit: INVITATIONS_PER_TENANT },
          { key: key("address", tenant.toLowerCase(), address), limit: Math.min(PER_ADDRESS, INVITATIONS_PER_TENANT) }
        ]
        return Effect.flatMap(access.countAttempt(counted, DAY_MS), (waitMs) =>
          waitMs === 0
            ? Effect.void
            : Effect.fail(new TooManyRequests({ retry_after: Math.max(1, Math.ceil(waitMs / 1000)) }))
        )
      }
    })
  })
)
