import { Schema } from "effect"
import { uuid } from "./Text.ts"

/** The id of a one-time token, from which its text is derived. */
export const OneTimeTokenId = Schema.String.check(uuid).pipe(Schema.brand("OneTimeTokenId"))
export type OneTimeTokenId = typeof OneTimeTokenId.Type

/** What the link of a mail is good for. */
export const OneTimePurpose = Schema.Literals(["password_reset", "email_verify", "email_change", "invitation"])
export type OneTimePurpose = typeof OneTimePurpose.Type
