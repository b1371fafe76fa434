import { Schema } from "effect"
import { uuid } from "./Text.ts"
import { Role } from "./User.ts"

/** The id of a mail. Its Message-ID is made of it. */
export const MailId = Schema.String.check(uuid).pipe(Schema.brand("MailId"))
export type MailId = typeof MailId.Type

/**
 * What a mail says, beside what every mail has: the tenant's name and, where there is a one-time token, its link and how long it is good
 * for. It is stored until the mail is sent: no secret.
 */
export const MailContent = Schema.Union([
  /** A link to choose a new password. */
  Schema.Struct({ template: Schema.Literal("password_reset") }),
  /** There is no password to reset: this tenant's people log in by single sign-on. */
  Schema.Struct({ template: Schema.Literal("password_reset_sso") }),
  /** A link that proves the address of an account. */
  Schema.Struct({ template: Schema.Literal("email_verify") }),
  /** A link that proves the new address of an account; sent to that one. */
  Schema.Struct({ template: Schema.Literal("email_change") }),
  /** Sent to the address there was, before the change and after it. */
  Schema.Struct({ template: Schema.Literal("email_change_asked"), next: Schema.String }),
  Schema.Struct({ template: Schema.Literal("email_changed"), next: Schema.String }),
  /** A link to join a tenant. `inviter`: the address of the admin. */
  Schema.Struct({ template: Schema.Literal("invitation"), inviter: Schema.String, role: Role }),
  /** Notices: the owner of the account is told, in case it was not them. */
  Schema.Struct({ template: Schema.Literal("password_changed") }),
  Schema.Struct({ template: Schema.Literal("second_factor_added") }),
  Schema.Struct({ template: Schema.Literal("second_factor_removed") }),
  /** A person at an identity provider logs in to the account from now on. */
  Schema.Struct({ template: Schema.Literal("identity_linked"), issuer: Schema.String })
])
export type MailContent = typeof MailContent.Type
