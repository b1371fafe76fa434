/** What happened, in words, by the type of the event (docs/auditing.md). */
const TEXTS: Readonly<Record<string, string>> = {
  "session.begun": "Logged in",
  "session.ended": "Session ended",
  "login.succeeded": "Logged in",
  "login.failed": "Login failed",
  "user.registered": "Registered",
  "user.created": "User made",
  "user.changed": "User changed",
  "user.deleted": "User deleted",
  "password.changed": "Password changed",
  "email.change_asked": "New address asked for",
  "email.changed": "Address changed",
  "email.verified": "Address verified",
  "email.verification_sent": "Verification mailed",
  "factor.added": "Second factor added",
  "factor.removed": "Second factor removed",
  "factor.locked": "Second factor locked",
  "recovery_codes.made": "Recovery codes made",
  "invitation.created": "Invited",
  "invitation.changed": "Invitation changed",
  "invitation.resent": "Invitation sent again",
  "invitation.revoked": "Invitation revoked",
  "invitation.accepted": "Invitation accepted",
  "key.created": "API key made",
  "key.changed": "API key changed",
  "key.rotated": "API key rotated",
  "key.deleted": "API key deleted",
  "key.refused": "API key refused",
  "service_account.created": "Service account made",
  "service_account.changed": "Service account changed",
  "service_account.deleted": "Service account deleted",
  "provider_key.created": "Provider key added",
  "provider_key.changed": "Provider key changed",
  "provider_key.deleted": "Provider key removed",
  "sso.created": "Single sign-on set up",
  "sso.changed": "Single sign-on changed",
  "sso.deleted": "Single sign-on removed",
  "sso.domain_proven": "Domain proven",
  "sso.unlinked": "Single sign-on unlinked",
  "message.deleted": "Message deleted",
  "conversation.deleted": "Conversation deleted",
  "generation.cancelled": "Answer stopped",
  "budget.alert": "Budget alert",
  "tenant.created": "Tenant made",
  "tenant.changed": "Tenant changed",
  "reader.granted": "Auditor admitted",
  "reader.revoked": "Auditor dismissed"
}

/** Types that belong together, by how they begin. */
export const KINDS: ReadonlyArray<readonly [string, string]> = [
  ["login.", "Logins"],
  ["session.", "Sessions"],
  ["user.", "Users"],
  ["password.", "Passwords"],
  ["email.", "Email addresses"],
  ["factor.", "Second factors"],
  ["invitation.", "Invitations"],
  ["key.", "API keys"],
  ["service_account.", "Service accounts"],
  ["provider_key.", "Provider keys"],
  ["sso.", "Single sign-on"],
  ["conversation.", "Conversations"],
  ["message.", "Messages"],
  ["generation.", "Answers"],
  ["budget.", "Budgets"],
  ["tenant.", "The tenant"],
  ["reader.", "Auditors"],
  ["operator.", "By the operator"]
]

/** What happened in words; a type that is not known here as it is. */
export const typeText = (type: string): string => TEXTS[type] ?? type.replaceAll("_", " ").replaceAll(".", ": ")

/** All types that are known, by the beginning of a kind. */
export const typesOf = (kind: string): ReadonlyArray<string> =>
  Object.keys(TEXTS).filter((type) => type.startsWith(kind))
