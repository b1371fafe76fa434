import { Problem } from "./ProblemClass.ts"

/** The token of a link in a mail is none, or was used, voided by a newer one, or is too old. The answer never says which. */
export class LinkRefused extends Problem<LinkRefused>()("LinkRefused", "link_refused", {}) {}

/** The password is right, and the address of the account is not verified yet, which this installation asks for. */
export class EmailUnverified extends Problem<EmailUnverified>()("EmailUnverified", "email_unverified", {}) {}
