import type { MailDomain } from "@llm-saas/domain/SingleSignOn"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { DomainProofs } from "@llm-saas/engine/sso/DomainProofs"
import { Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { Resolver } from "node:dns"

const TIMEOUT_MS = 5000

/**
 * Proofs by DNS, at this machine's servers, or at `servers` (`address:port`). What a tenant writes is a keyed hash of it and the domain, and
 * reveals neither the tenant nor that another one asks for the domain too.
 */
export const DomainProofsLayer = (options: {
  readonly secret: Redacted.Redacted
  readonly servers?: ReadonlyArray<string>
}) =>
  Layer.sync(DomainProofs, () => {
    const key = createHmac("sha256", Redacted.value(options.secret)).update("domain proofs").digest()
    const recordOf = (tenant: TenantId, domain: MailDomain) => ({
      name: `_llm-saas.${domain}`,
      value: `llm-saas=${createHmac("sha256", key).update(`${tenant.toLowerCase()} ${domain}`).digest("hex").slice(0, 40)}`
    })
    const isProven = Effect.fn("DomainProofs.isProven")((tenant: TenantId, domain: MailDomain) =>
      Effect.callback<boolean>((resume) => {
        const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
        if (options.servers !== undefined) resolver.setServers(options.servers)
        const { name, value } = recordOf(tenant, domain)
        // The root's dot: no search domain of this machine is tried.
        resolver.resolveTxt(`${name}.`, (failed, records) =>
          resume(Effect.succeed(failed === null && records.some((parts) => parts.join("") === value)))
        )
        return Effect.sync(() => resolver.cancel())
      })
    )
    return DomainProofs.of({ recordOf, isProven })
  })
