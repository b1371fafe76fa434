import { Option, Schema } from "effect"
import { isJsonObject, type JsonObject } from "./Json.ts"
import { type Email, EmailInput, type Role } from "./User.ts"

/** What a provider says of a person: claims of the ID token, and of the userinfo endpoint (OpenID Connect Core §5.1). */
export type SsoClaims = JsonObject

/** What a connection makes of claims. */
interface ClaimRules {
  readonly domains: ReadonlyArray<string>
  readonly trust_email: boolean
  readonly role_claim: string | null
  readonly admin_values: ReadonlyArray<string>
}

/**
 * The address that leads to an account or makes one: verified, and of an allowed domain. Without domains there is none: a provider may let
 * strangers sign up.
 */
export const addressOf = (claims: SsoClaims, { domains, trust_email }: ClaimRules): Email | undefined => {
  const denied = claims["email_verified"] === false || claims["email_verified"] === "false"
  const email = trust_email && !denied ? Option.getOrUndefined(decodeEmail(claims["email"])) : verifiedEmailOf(claims)
  if (email === undefined) return undefined
  return domains.includes(email.slice(email.lastIndexOf("@") + 1)) ? email : undefined
}

/** The address that the provider says it has verified. */
export const verifiedEmailOf = (claims: SsoClaims): Email | undefined =>
  // Some providers write it as text.
  claims["email_verified"] === true || claims["email_verified"] === "true"
    ? Option.getOrUndefined(decodeEmail(claims["email"]))
    : undefined

/**
 * The role by the claim, which is a value or a list of values: admin with one of `admin_values`, else user. Undefined: the role stays as
 * it is, because no claim decides it, or the provider leaves the values out of the token for their number (§5.6.2).
 */
export const roleOf = (claims: SsoClaims, { admin_values, role_claim }: ClaimRules): Role | undefined => {
  if (role_claim === null) return undefined
  const elsewhere = claims["_claim_names"]
  if (elsewhere !== undefined && isJsonObject(elsewhere) && Object.hasOwn(elsewhere, role_claim)) return undefined
  const value = claimAt(claims, role_claim)
  const values = Array.isArray(value) ? value : [value]
  return values.some((each) => typeof each === "string" && admin_values.includes(each)) ? "admin" : "user"
}

/** A claim by its name; else by a path with dots, as in Keycloak's `realm_access.roles`. */
const claimAt = (claims: JsonObject, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name]
  let at: unknown = claims
  for (const part of name.split(".")) {
    if (!isJsonObject(at) || !Object.hasOwn(at, part)) return undefined
    at = at[part]
  }
  return at
}

const decodeEmail = Schema.decodeUnknownOption(EmailInput)
