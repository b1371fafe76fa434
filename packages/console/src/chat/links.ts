/** A link out of a model's text that may be offered. */
export interface OfferedLink {
  readonly href: string
  /** Where it leads, for people to see before they follow it: the host, or the address of a mail. */
  readonly host: string
}

/** `http:x` would be below the page's own address, if that is of the same scheme. */
const WHOLE = /^(?:https?:\/\/|mailto:)/iu

/**
 * The link, if it may be offered: whole addresses of the web and of mails only. Anything else stays text, such as `javascript:` and `data:`,
 * paths below the console itself, and addresses that begin with a name (`https://bank.example@evil.example`), which mislead about the host.
 */
export const offeredLink = (text: string | undefined): OfferedLink | undefined => {
  if (text === undefined || !WHOLE.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol === "mailto:") return url.pathname === "" ? undefined : { href: url.href, host: url.pathname }
  if (url.username !== "" || url.password !== "") return undefined
  return { href: url.href, host: url.host }
}
