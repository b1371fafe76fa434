import type { SsoConnection, SsoConnectionChoice } from "@llm-saas/client"
import { lines } from "../../ui/lines.ts"

/** A connection to an identity provider as it is typed. */
export interface SsoDraft {
  readonly slug: string
  readonly issuer: string
  readonly client_id: string
  /** What becomes of the client's secret: the stored one stays, `secret` takes its place, or there is none (a public client). */
  readonly keeping: "keep" | "new" | "none"
  readonly secret: string
  /** One a line. */
  readonly domains: string
  readonly trust_email: boolean
  readonly jit: boolean
  readonly role_claim: string
  /** One a line. */
  readonly admin_values: string
  readonly required: boolean
  readonly enabled: boolean
}

/** What is to be typed so that nothing changes; without a connection, a new one. The secret is never there: no answer has it. */
export const draftOf = (connection: SsoConnection | null): SsoDraft => ({
  slug: connection?.slug ?? "",
  issuer: connection?.issuer ?? "",
  client_id: connection?.client_id ?? "",
  keeping: connection === null ? "new" : connection.has_secret ? "keep" : "none",
  secret: "",
  domains: connection?.domains.map(({ domain }) => domain).join("\n") ?? "",
  trust_email: connection?.trust_email ?? false,
  jit: connection?.jit ?? true,
  role_claim: connection?.role_claim ?? "",
  admin_values: connection?.admin_values.join("\n") ?? "",
  required: connection?.required ?? false,
  enabled: connection?.enabled ?? true
})

/** The whole connection: what is not sent would get its default, but for the secret, which stays. */
export const choiceOf = (draft: SsoDraft): SsoConnectionChoice => ({
  slug: draft.slug.trim(),
  issuer: draft.issuer.trim(),
  client_id: draft.client_id.trim(),
  ...(draft.keeping === "keep" ? {} : { client_secret: draft.keeping === "new" ? draft.secret : null }),
  domains: [...new Set(lines(draft.domains).map(domainOf))],
  trust_email: draft.trust_email,
  jit: draft.jit,
  role_claim: draft.role_claim.trim() === "" ? null : draft.role_claim.trim(),
  admin_values: lines(draft.admin_values),
  required: draft.required,
  enabled: draft.enabled
})

/** `@Acme.com` is meant as `acme.com`. */
const domainOf = (line: string): string => line.replace(/^.*@/u, "").toLowerCase()

/** Whether the stored secret would go to another provider or client than it was given for: the server drops it then. */
export const losesSecret = (connection: SsoConnection | null, draft: SsoDraft): boolean =>
  draft.keeping === "keep"
  && connection !== null
  && (connection.issuer !== draft.issuer.trim() || connection.client_id !== draft.client_id.trim())

/** Whether saving it ends all sessions of the tenant's people, the reader's too: from now on it is the only way in. */
export const endsSessions = (connection: SsoConnection | null, draft: SsoDraft): boolean =>
  draft.required && draft.enabled && !(connection?.required === true && connection.enabled)
