import { Schema } from "effect"

/** A mail could not be sent. */
export class MailFailed extends Schema.TaggedError<MailFailed>()("MailFailed", {
  reason: Schema.Literals([
    /** The server refuses this mail for good. */
    "refused",
    /** The server does not take this mail now. */
    "busy",
    /** The server cannot be used, or not by us: the next mail would fail too. */
    "server"
  ]),
  /** A code of SMTP or of the network: no address, and nothing of what the server says, which may repeat one. */
  detail: Schema.String
}) {
  override get message() {
    return `${this.reason}: ${this.detail}`
  }
}
