import type { Outside } from "@llm-saas/domain/Outside"
import type { MailDomain } from "@llm-saas/domain/SingleSignOn"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, type Effect } from "effect"

/**
 * Proofs that a tenant controls a domain: a TXT record that says which tenant. Without one, anybody could lead a company's people to a login
 * of their own that looks like the company's.
 */
export class DomainProofs extends Context.Service<
  DomainProofs,
  {
    readonly recordOf: (tenant: TenantId, domain: MailDomain) => { readonly name: string; readonly value: string }
    /** Whether DNS has it now. False where DNS does not answer. */
    readonly isProven: (tenant: TenantId, domain: MailDomain) => Effect.Effect<boolean>
  }
>()("@llm-saas/engine/sso/DomainProofs") {
  declare readonly outside: Outside["outside"]
}
