// Numbers and times as people read them, in the browser's language; each with its unit.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const one = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" })
const second = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" })

/** A whole number, in groups. */
export const count = (value: number): string => whole.format(value)

/** US dollars of an exact decimal text: at least cents, at most six places. What is less than that is not shown as nothing. */
export const dollars = (amount: string): string => {
  const [units = "0", places = ""] = amount.replace("-", "").split(".")
  const sign = amount.startsWith("-") ? "-" : ""
  const shown = String(Number(`0.${places.slice(0, 6)}`))
    .slice(2)
    .padEnd(2, "0")
  const isLess = Number(units) === 0 && Number(shown) === 0 && Number(amount) !== 0
  return isLess ? `${sign}< $0.000001` : `${sign}$${whole.format(BigInt(units))}.${shown}`
}

/** How fast an answer comes. */
export const perSecond = (tokens: number): string => `${one.format(tokens)} tokens/s`

/** Milliseconds as ms, s or minutes. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${whole.format(ms)} ms`
  if (ms < 120_000) return `${one.format(ms / 1000)} s`
  return `${one.format(ms / 60_000)} min`
}

/** A moment (ISO 8601) on the reader's clock. */
export const moment = (instant: string): string => dateTime.format(new Date(instant))

/** The same to the second: for logs. */
export const momentToSecond = (instant: string): string => second.format(new Date(instant))

/** A day (ISO 8601) as it is, without a time zone. */
export const day = (text: string): string => date.format(new Date(`${text}T12:00:00`))

const STEPS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60]
] as const

/** How long ago or ahead a moment is: `3 hours ago`. */
export const ago = (instant: string, now = Date.now()): string => {
  const seconds = (new Date(instant).getTime() - now) / 1000
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length)
  if (step === undefined) return seconds > 0 ? "in less than a minute" : "just now"
  return relative.format(Math.round(seconds / step[1]), step[0])
}

/** Bytes in kB and MB (powers of ten). */
export const bytes = (value: number): string =>
  value < 1000 ? `${value} B` : value < 1e6 ? `${one.format(value / 1e3)} kB` : `${one.format(value / 1e6)} MB`
