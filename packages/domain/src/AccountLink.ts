import { Problem } from "./ProblemClass.ts"

/** The token of a link in a mail is none, or was used, voided by a newer one, or is too old. The answer never says which. */
export class LinkRefused extends Problem<LinkRefused>()("LinkRefused", "link_refused", {}) {}
