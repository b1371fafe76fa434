import type { MailId } from "@llm-saas/domain/Mail"
import type { Outside } from "@llm-saas/domain/Outside"
import { Context, type DateTime, type Effect, type Redacted } from "effect"
import type { MailFailed } from "./MailFailed.ts"

/** A mail as it is sent. */
export interface OutgoingMail {
  readonly id: MailId
  readonly template: string
  readonly createdAt: DateTime.Utc
  readonly to: string
  readonly subject: string
  /** The same as text and as HTML. They may contain the text of a token. */
  readonly text: Redacted.Redacted
  readonly html: Redacted.Redacted
}

/** Where mails go: a server ({@link file://./Smtp.ts}), or files ({@link file://./MailFiles.ts}). */
export class MailTransport extends Context.Service<
  MailTransport,
  {
    readonly send: (mail: OutgoingMail) => Effect.Effect<void, MailFailed>
  }
>()("@llm-saas/mail/MailTransport") {
  declare readonly outside: Outside["outside"]
}
