import type { MailContent } from "@llm-saas/domain/Mail"
import { type Redacted } from "effect"

/** What every mail knows, beside its content. */
export interface MailFrame {
  /** The product's name. */
  readonly product: string
  /** The tenant's name. */
  readonly tenant: string
  /** The URL that people reach the product by, without a slash at the end. */
  readonly publicUrl: string
  /** The text of the link's token, and for how many minutes it is good. */
  readonly token: { readonly text: Redacted.Redacted; readonly minutes: number } | undefined
}

/** What a mail says, before it is text or HTML. */
export interface Words {
  readonly subject: string
  readonly before: ReadonlyArray<string>
  /** The page of the link, and what its button says. */
  readonly link?: { readonly path: string; readonly label: string }
  readonly after: ReadonlyArray<string>
}

/** The words of each template. The only place where they are. */
export const wordsOf = (content: MailContent, { product, tenant, token }: Omit<MailFrame, "publicUrl">): Words => {
  const account = `your account of ${quoted(tenant)} at ${product}`
  const life = token === undefined ? "" : `The link works once, and for ${lifetime(token.minutes)}.`
  switch (content.template) {
    case "password_reset":
      return {
        subject: `Choose a new password for ${product}`,
        before: [`Someone, you we hope, asked to choose a new password for ${account}.`],
        link: { path: "/account/reset", label: "Choose a new password" },
        after: [life, "If it was not you, ignore this mail: your password stays as it is."]
      }
    case "password_reset_sso":
      return {
        subject: `Your password at ${product}`,
        before: [
          `Someone, you we hope, asked to choose a new password for ${account}.`,
          `People of ${quoted(tenant)} log in by single sign-on, and not with a password: there is none to be reset.`
        ],
        after: ["If you cannot log in there, ask your administrator."]
      }
    case "email_verify":
      return {
        subject: `Confirm your address for ${product}`,
        before: [`This address was given for ${account}.`],
        link: { path: "/account/verify", label: "Confirm this address" },
        after: [life, "It asks for the password of the account. If it was not you who chose one, ignore this mail."]
      }
    case "email_change":
      return {
        subject: `Confirm your new address for ${product}`,
        before: [`This is to be the new address of ${account}.`],
        link: { path: "/account/email", label: "Use this address" },
        after: [life, "If it was not you, ignore this mail: nothing changes."]
      }
    case "email_change_asked":
      return {
        subject: `A new address for your account at ${product}`,
        before: [
          `Someone, you we hope, asked to change the address of ${account} to ${plain(content.next)}.`,
          "It changes when the link in a mail to the new address is followed."
        ],
        after: ["If it was not you, change your password now."]
      }
    case "email_changed":
      return {
        subject: `The address of your account at ${product} was changed`,
        before: [`The address of ${account} is now ${plain(content.next)}. This address leads to it no more.`],
        after: ["If it was not you, ask your administrator at once."]
      }
    case "invitation":
      return {
        subject: `You are invited to ${product}`,
        before: [
          `${plain(content.inviter)} invites you to join ${quoted(tenant)} at ${product}${content.role === "admin" ? ", as an admin" : ""}.`
        ],
        link: { path: "/account/invitation", label: "Accept the invitation" },
        after: [life, "If you did not expect it, ignore this mail."]
      }
    case "password_changed":
      return {
        subject: `Your password at ${product} was changed`,
        before: [`The password of ${account} was changed, and all other logins were ended.`],
        after: ["If it was not you, reset your password now, and tell your administrator."]
      }
    case "second_factor_added":
      return {
        subject: `A second factor was added to your account at ${product}`,
        before: [`A second factor was added to ${account}.`],
        after: ["If it was not you, change your password now, and tell your administrator."]
      }
    case "identity_linked":
      return {
        subject: `A new way to log in to your account at ${product}`,
        before: [`Single sign-on at ${plain(content.issuer)} leads to ${account} from now on.`],
        after: ["If it was not you, remove it and change your password now, and tell your administrator."]
      }
    case "second_factor_removed":
      return {
        subject: `A second factor was removed from your account at ${product}`,
        before: [`A second factor was removed from ${account}.`],
        after: ["If it was not you, change your password now, and tell your administrator."]
      }
  }
}

const MOST_SHOWN = 60

/**
 * A text that others chose, as it is shown. Anybody may name a tenant, and have its mails sent to others' addresses: it is short, and mail
 * programs make no link of it.
 */
const plain = (text: string): string => {
  const shown = [
    ...text.replace(/:\/\//gu, ": ").replace(/([.:/])(?=[^\s.:/@]*[\p{L}\p{N}])/gu, (mark) => LOOSE[mark] ?? mark)
  ]
  return shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN).join("")}…` : shown.join("")
}
const LOOSE: Readonly<Record<string, string>> = { ".": ". ", "/": " / ", ":": ": " }

const quoted = (text: string): string => `“${plain(text)}”`

/** Minutes, in the largest unit that is whole. */
const lifetime = (minutes: number): string => {
  const [amount, unit] =
    minutes % 1440 === 0 ? [minutes / 1440, "day"] : minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"]
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`
}
