import { addDays, isDay } from "../usage/period.ts"

/** Which events the page shows, in its address. Days are UTC, both included. */
export interface AuditSearch {
  /** A type, or the beginning of some, which ends with a dot. */
  readonly type?: string
  /** Ids. */
  readonly actor?: string
  readonly subject?: string
  readonly from?: string
  readonly to?: string
}

const TYPE = /^[a-z_]{1,40}(?:\.(?:[a-z_]{1,40}\.?){0,2})?$/u
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu

/** Whether a text is an id. */
export const isId = (text: string): boolean => ID.test(text)

const text = (value: unknown, is: (text: string) => boolean): string | undefined =>
  typeof value === "string" && is(value) ? value : undefined

/** What an address may say; anything else counts as if it was not there. */
export const auditSearch = (search: Record<string, unknown>): AuditSearch => {
  const type = text(search["type"], (each) => TYPE.test(each))
  const actor = text(search["actor"], isId)
  const subject = text(search["subject"], isId)
  const from = text(search["from"], isDay)
  const to = text(search["to"], isDay)
  return {
    ...(type && { type }),
    ...(actor && { actor }),
    ...(subject && { subject }),
    ...(from && { from }),
    ...(to && { to })
  }
}

/** The same as the server takes it: `to` is a moment after the latest. */
export const queryOf = ({ from, to, ...rest }: AuditSearch): AuditSearch => ({
  ...rest,
  ...(from && { from: `${from}T00:00:00Z` }),
  ...(to && { to: `${addDays(to, 1)}T00:00:00Z` })
})
