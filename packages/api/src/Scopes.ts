import type { Scope } from "@llm-saas/domain/Scope"

/**
 * What an API key needs for an operation: any one of these scopes; `any`: every key may; `login`: no key may. Operations that are not
 * here no key may either.
 */
export type KeyRule = ReadonlyArray<Scope> | "any" | "login"

/**
 * By the name of the operation: the group and the endpoint of HTTP, and the tag of RPC. One table for both.
 *
 * `chat` reads, follows and stops answers too: what was asked by a stream that was cut is read that way. `admin` is for what only admins
 * may do, and it lets an admin's key see what admins see at the other endpoints; without it every key acts as a user who sees only their
 * own.
 */
const RULES: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  ["accounts.me", "any"],
  // A key must not be enough to take over the account.
  ["accounts.changePassword", "login"],
  // A key has no session, and must not be enough to end its person's.
  ["sessions.list", "login"],
  ["sessions.end", "login"],
  ["sessions.endOthers", "login"],
  ["sessions.ofUser", ["admin"]],
  ["sessions.endOfUser", ["admin"]],
  ["sessions.endAllOfUser", ["admin"]],
  // Nor to change what protects it.
  ["factors.list", "login"],
  ["factors.prove", "login"],
  ["factors.beginTotp", "login"],
  ["factors.confirmTotp", "login"],
  ["factors.passkeyProof", "login"],
  ["factors.beginPasskey", "login"],
  ["factors.addPasskey", "login"],
  ["factors.remove", "login"],
  ["factors.recoveryCodes", "login"],

  ["identities.list", "login"],
  ["identities.link", "login"],
  ["identities.remove", "login"],

  ["mail.sendVerification", "login"],
  ["mail.changeEmail", "login"],

  // No key leads to another tenant.
  ["memberships.list", "login"],
  ["memberships.add", "login"],
  ["memberships.open", "login"],

  ["messages.ask", ["chat"]],
  ["messages.stream", ["chat"]],
  ["messages.streamUrl", ["chat"]],
  ["messages.list", ["messages:read"]],
  ["messages.get", ["messages:read"]],
  ["messages.remove", ["messages:write"]],
  ["messages.feedback", ["messages:write"]],

  ["conversations.create", ["messages:write"]],
  ["conversations.list", ["messages:read"]],
  ["conversations.get", ["messages:read"]],
  ["conversations.rename", ["messages:write"]],
  ["conversations.remove", ["messages:write"]],
  ["conversations.messages", ["messages:read"]],

  ["generations.list", ["chat", "messages:read"]],
  ["generations.get", ["chat", "messages:read"]],
  ["generations.stream", ["chat", "messages:read"]],
  ["generations.watch", ["chat", "messages:read"]],
  ["generations.cancel", ["chat", "messages:write"]],
  ["generations.feedback", ["chat", "messages:write"]],

  ["keys.create", ["keys:write"]],
  ["keys.list", ["keys:write"]],
  ["keys.get", ["keys:write"]],
  ["keys.change", ["keys:write"]],
  ["keys.remove", ["keys:write"]],
  ["keys.rotate", ["keys:write"]],
  ["keys.current", "any"],

  // What holds for the key itself.
  ["limits.mine", "any"],
  ["usage.report", ["usage:read"]],
  ["usage.export", ["usage:read"]],

  ["openai.chat", ["chat"]],
  ["openai.embeddings", ["embeddings"]],
  // Every key may see what it may ask.
  ["openai.models", "any"],
  ["openai.model", "any"],
  ["responses.create", ["chat"]],
  ["responses.get", ["chat", "messages:read"]],
  ["responses.cancel", ["chat", "messages:write"]],
  ["responses.remove", ["messages:write"]],
  ["responses.inputItems", ["chat", "messages:read"]],
  ["responses.inputTokens", ["chat"]],
  ["anthropic.messages", ["chat"]],
  ["anthropic.countTokens", ["chat"]],

  ["serviceAccounts.create", ["admin"]],
  ["serviceAccounts.list", ["admin"]],
  ["serviceAccounts.get", ["admin"]],
  ["serviceAccounts.change", ["admin"]],
  ["serviceAccounts.remove", ["admin"]],

  ["providerKeys.create", ["admin"]],
  ["providerKeys.list", ["admin"]],
  ["providerKeys.change", ["admin"]],
  ["providerKeys.remove", ["admin"]],

  ["sso.get", ["admin"]],
  ["sso.test", ["admin"]],
  // A key must not be enough to choose who logs in.
  ["sso.put", "login"],
  ["sso.remove", "login"],
  ["sso.proveDomain", "login"],

  ["tenants.change", ["admin"]],
  ["tenants.retention", ["admin"]],
  ["tenants.changeRetention", ["admin"]],
  ["tenants.users", ["admin"]],
  ["factors.listOf", ["admin"]],
  ["loginPolicy.get", ["admin"]],
  // Nor what the accounts of others are protected by: a key, and a service account behind it, has nothing to prove that with.
  ["factors.removeOf", "login"],
  ["loginPolicy.put", "login"],
  ["tenants.isolation", ["admin"]],
  ["audit.list", ["admin"]],
  ["audit.export", ["admin"]],
  ["invitations.create", ["admin"]],
  ["invitations.list", ["admin"]],
  ["invitations.resend", ["admin"]],
  ["invitations.revoke", ["admin"]],
  ["admin.createUser", ["admin"]],
  ["admin.user", ["admin"]],
  ["admin.changeUser", ["admin"]],
  ["admin.deleteUser", ["admin"]]
])

/** Whether the table names the operation. */
export const isRuled = (operation: string): boolean => RULES.has(operation)

/** What a key needs for the operation. */
export const ruleOf = (operation: string): KeyRule => RULES.get(operation) ?? "login"

/** The names of all operations in the table. */
export const ruled: ReadonlyArray<string> = [...RULES.keys()]
