import { Schema } from "effect"
import type { LoginMethod } from "./Session.ts"
import type { Role } from "./User.ts"

/** Who in a tenant must have a second factor. */
export const SecondFactorFor = Schema.Literals(["optional", "admins", "everybody"])

/** What a tenant asks of logins. */
export class LoginPolicy extends Schema.Class<LoginPolicy>("LoginPolicy")({
  second_factor: SecondFactorFor,
  /** Whether single sign-on is asked for it too. Else the identity provider answers for that. */
  second_factor_after_sso: Schema.Boolean,
  /** Whether a login to another tenant may be switched to an account here. */
  tenant_switch: Schema.Boolean,
  /** Whether a provider of the installation leads to an account by an address that both have verified. Else its user links it. */
  link_by_email: Schema.Boolean
}) {}

/** What an admin wants the policy to be. `link_by_email` is false where it is left out. */
export const LoginPolicyChoice = Schema.Struct({
  ...LoginPolicy.fields,
  link_by_email: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "LoginPolicyChoice" })
export type LoginPolicyChoice = typeof LoginPolicyChoice.Type

/** Whether an account of this role must have a second factor. */
export const isRequired = ({ second_factor }: Pick<LoginPolicy, "second_factor">, role: Role): boolean =>
  second_factor === "everybody" || (second_factor === "admins" && role === "admin")

/**
 * What a login is still asked for. `factor`: one that the account has, whatever its tenant requires. `enrolment`: the account must have one,
 * and sets it up now.
 */
export const demandOf = (
  policy: Pick<LoginPolicy, "second_factor" | "second_factor_after_sso">,
  login: { readonly role: Role; readonly by: LoginMethod; readonly hasFactor: boolean }
): "nothing" | "factor" | "enrolment" => {
  // Single sign-on by a provider that the tenant chose. One of the installation stands for a password, and no more.
  // A passkey that verified its user is two factors by itself: the device, and what unlocks it.
  if (login.by === "passkey" || (login.by === "sso" && !policy.second_factor_after_sso)) return "nothing"
  if (login.hasFactor) return "factor"
  return isRequired(policy, login.role) ? "enrolment" : "nothing"
}
