import { DateTime, Effect, Redacted } from "effect"
import { MailFailed } from "./MailFailed.ts"
import type { OutgoingMail } from "./MailTransport.ts"

/**
 * A mail for nodemailer. Addresses are given apart from names, so that none is read as a list. The Message-ID (RFC 5322 §3.6.4) is the
 * same each time: a mail that is sent twice, since the answer to the first one was lost, is recognised. `Auto-Submitted` (RFC 3834 §5)
 * keeps automatic answers away.
 */
export const messageOf = (mail: OutgoingMail, from: Sender): Effect.Effect<ReturnType<typeof composed>, MailFailed> =>
  DELIVERABLE.test(mail.to)
    ? Effect.succeed(composed(mail, from))
    : Effect.fail(new MailFailed({ reason: "refused", detail: "no mail can go to this address" }))

/**
 * Accounts may have addresses that would have to be quoted in SMTP (RFC 5321 §4.1.2). They get no mail: nodemailer takes `a,b@c.example`
 * for a list, and the link of one account would go to the address of another. So it could from an encoded word (RFC 2047), which some
 * programs decode anywhere, from a full stop of another script (UTS #46), which DNS names have as ours, and from a host's number.
 */
const DELIVERABLE = /^(?!.*=\?)[^\s"(),:;<>@[\]\\]{1,64}@[^\s"(),:;<>@[\]\\。．｡]{1,253}$/u

const composed = (mail: OutgoingMail, from: Sender) => ({
  messageId: `<${mail.id}@${from.address.slice(from.address.lastIndexOf("@") + 1)}>`,
  date: DateTime.toDateUtc(mail.createdAt),
  from,
  to: { name: "", address: mail.to },
  envelope: { from: { address: from.address }, to: [{ address: mail.to }] },
  subject: mail.subject,
  text: Redacted.value(mail.text),
  html: Redacted.value(mail.html),
  headers: { "Auto-Submitted": "auto-generated" },
  disableFileAccess: true,
  disableUrlAccess: true
})

/** Whom mails are from. */
export interface Sender {
  readonly name: string
  readonly address: string
}

/** Reads `Name <address>`, or an address alone. Undefined: it is neither. */
export const senderOf = (text: string): Sender | undefined => {
  const [, name = "", bracketed, alone] = SENDER.exec(text.trim()) ?? []
  const address = bracketed ?? alone
  return address === undefined ? undefined : { name: name.trim().replace(/^"(.*)"$/u, "$1"), address }
}

const SENDER =
  /^(?:([^<>\r\n]{0,200})<([^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,253})>|([^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,253}))$/u
