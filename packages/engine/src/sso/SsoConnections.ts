import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { Refused } from "@llm-saas/domain/Refusal"
import {
  DomainUnproven,
  type MailDomain,
  SlugTaken,
  SsoConnection,
  type SsoConnectionChoice,
  SsoNotFound,
  type SsoUnavailable,
  SsoUntried
} from "@llm-saas/domain/SingleSignOn"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { sealer } from "../providerKeys/DataKeys.ts"
import { Encryption } from "../providerKeys/Encryption.ts"
import { DomainProofs } from "./DomainProofs.ts"
import { OpenIdProviders, type ProviderClient } from "./OpenIdProviders.ts"
import { SsoAddresses } from "./SsoAddresses.ts"
import * as Queries from "./SsoQueries.ts"

/** A tenant's single sign-on, as its admins set it up. No answer has the client's secret. */
export class SsoConnections extends Context.Service<
  SsoConnections,
  {
    readonly get: (tenant: TenantId) => Effect.Effect<SsoConnection, TenantNotFound | SsoNotFound | Refused, Actor>
    /**
     * Makes or replaces it. A secret that is left out stays, unless the issuer or the client changes: it would be sent to another server
     * than it was given for. With another issuer all links are removed.
     */
    readonly put: (
      tenant: TenantId,
      choice: SsoConnectionChoice
    ) => Effect.Effect<SsoConnection, TenantNotFound | SlugTaken | SsoUntried | Refused, Actor>
    readonly remove: (tenant: TenantId) => Effect.Effect<void, TenantNotFound | SsoNotFound | Refused, Actor>
    /** Whether the provider is there and is one. */
    readonly test: (
      tenant: TenantId
    ) => Effect.Effect<void, TenantNotFound | SsoNotFound | SsoUnavailable | Refused, Actor>
    /** Looks for the proof of a domain in DNS, and leads its people here from then on. */
    readonly proveDomain: (
      tenant: TenantId,
      domain: MailDomain
    ) => Effect.Effect<SsoConnection, TenantNotFound | SsoNotFound | DomainUnproven | Refused, Actor>
  }
>()("@llm-saas/engine/sso/SsoConnections") {
  static readonly layer = Layer.effect(
    SsoConnections,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const encryption = yield* Encryption
  const providers = yield* OpenIdProviders
  const proofs = yield* DomainProofs
  const addresses = yield* SsoAddresses
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)
  const seal = sealer(encryption)

  const own = Effect.fnUntraced(function* (tenant: TenantId) {
    if (tenant.toLowerCase() !== (yield* Actor).tenantId) return yield* new TenantNotFound({})
  })

  const secretOf = ({ id, sealed, tenant_id, version, wrapped, wrapped_by }: Queries.ConnectionRow) =>
    sealed === null || version === null || wrapped === null || wrapped_by === null
      ? Effect.undefined
      : encryption.open(sealed, { version, wrapped, wrapped_by }, { tenant: tenant_id, kind: "single sign-on", id })

  const toConnection = Effect.fnUntraced(function* (row: Queries.ConnectionRow) {
    const secret = yield* secretOf(row)
    const unreadable = row.sealed !== null && secret === undefined
    const { client_id, created_at, issuer, jit, required, role_claim, slug, tenant_id, trust_email, updated_at } = row
    return new SsoConnection({
      tenant_id,
      slug,
      issuer,
      client_id,
      trust_email,
      jit,
      role_claim,
      admin_values: row.admin_values,
      required,
      enabled: row.enabled,
      has_secret: row.sealed !== null,
      domains: row.domains.map((domain) => ({
        domain,
        routed: row.proven.includes(domain),
        record: { ...proofs.recordOf(tenant_id, domain), type: "TXT" }
      })),
      status: unreadable ? "unreadable" : row.enabled ? "active" : "disabled",
      created_at,
      updated_at,
      login_url: addresses.login(slug),
      redirect_uri: addresses.callback
    })
  })

  const found = Effect.flatMap(
    Queries.find(),
    Option.match({ onNone: () => Effect.fail(new SsoNotFound({})), onSome: (row) => Effect.succeed(row) })
  )
  const present = Effect.flatMap(Effect.catchTag(found, "SsoNotFound", Effect.die), toConnection)

  const get: SsoConnections["Service"]["get"] = Effect.fn("SsoConnections.get")(function* (tenant) {
    const row = yield* tenancy.read(found)
    yield* own(tenant)
    return yield* toConnection(row)
  })

  const put: SsoConnections["Service"]["put"] = Effect.fn("SsoConnections.put")(function* (tenant, choice) {
    yield* own(tenant)
    const { tenantId } = yield* Actor
    return yield* tenancy.transaction(
      Effect.gen(function* () {
        yield* Queries.lockTenant()
        const before = Option.getOrUndefined(yield* Queries.find())
        const { admin_values = [], client_id, client_secret, domains = [], issuer, role_claim = null, slug } = choice
        const { enabled = true, jit = false, required = false, trust_email = false } = choice
        const same = before?.issuer === issuer && before.client_id === client_id
        const id = before?.id ?? (yield* random.uuidV7())
        const kept = same ? { version: before.version, sealed: before.sealed } : { version: null, sealed: null }
        const secret =
          client_secret === undefined || client_secret === null
            ? client_secret === null
              ? { version: null, sealed: null }
              : kept
            : yield* seal(client_secret, { tenant: tenantId, kind: "single sign-on", id })
        if (required && Option.isNone(yield* Queries.triedByAdmin(issuer))) return yield* new SsoUntried({})
        const now = { slug, issuer, client_id, trust_email, jit, role_claim, required, enabled, domains }
        // Values without a claim that has them mean nothing.
        yield* Queries.put({ ...now, ...secret, id, admin_values: role_claim === null ? [] : admin_values })
        if (!(yield* Queries.claimSlug({ slug, connection: id })).claimed) return yield* new SlugTaken({})
        yield* Queries.keepDomains(domains)
        const asked = required && enabled
        if (asked && !(before?.required === true && before.enabled)) yield* Queries.endLogins()
        yield* Queries.forgetOthers(issuer)
        yield* record(
          before === undefined ? "sso.created" : "sso.changed",
          { kind: "sso", id },
          { ...now, secret: client_secret === undefined ? undefined : client_secret !== null }
        )
        return yield* present
      }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
    )
  })

  const remove: SsoConnections["Service"]["remove"] = Effect.fn("SsoConnections.remove")(function* (tenant) {
    yield* own(tenant)
    yield* tenancy.transaction(
      Effect.gen(function* () {
        const removed = yield* Queries.remove()
        if (Option.isNone(removed)) return yield* new SsoNotFound({})
        yield* Queries.forgetOthers("")
        yield* record("sso.deleted", { kind: "sso", id: removed.value.id })
      })
    )
  })

  const test: SsoConnections["Service"]["test"] = Effect.fn("SsoConnections.test")(function* (tenant) {
    const row = yield* tenancy.read(found)
    yield* own(tenant)
    const client: ProviderClient = {
      owner: row.tenant_id,
      issuer: row.issuer,
      clientId: row.client_id,
      secret: yield* secretOf(row),
      redirectUri: addresses.callback
    }
    yield* providers.check(client)
  })

  const proveDomain: SsoConnections["Service"]["proveDomain"] = Effect.fn("SsoConnections.proveDomain")(
    function* (tenant, domain) {
      const row = yield* tenancy.read(found)
      yield* own(tenant)
      if (!row.domains.includes(domain) || !(yield* proofs.isProven(row.tenant_id, domain)))
        return yield* new DomainUnproven({})
      return yield* tenancy.transaction(
        Effect.gen(function* () {
          yield* Queries.claimDomain({ domain, connection: row.id })
          yield* record("sso.domain_proven", { kind: "sso", id: row.id }, { domain })
          return yield* present
        })
      )
    }
  )
  return SsoConnections.of({ get, put, remove, test, proveDomain })
})
