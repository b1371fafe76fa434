// Periods of whole days in UTC, as the ledger counts them, and what each is compared with.

/** Days as in `2026-11-30`, both included. */
export interface Days {
  readonly from: string
  readonly to: string
}

/** `month`: this month, up to today. `7d` and `30d` end today too. `own`: as the person chose. */
export const PERIODS = ["month", "7d", "30d", "last-month", "own"] as const
export type Period = (typeof PERIODS)[number]

/** The most days of a period that a person chooses: a leap year. */
export const MOST_DAYS = 366

const DAY_MS = 86_400_000
/** Years that any arithmetic with them leaves at four digits. */
const DAY = /^(?:19[7-9]\d|2\d{3})-\d\d-\d\d$/u

const ms = (day: string) => Date.parse(`${day}T00:00:00Z`)
const dayOf = (instant: number) => new Date(instant).toISOString().slice(0, 10)

/** Whether a text is a day of the calendar. */
export const isDay = (text: string): boolean => DAY.test(text) && !Number.isNaN(ms(text)) && dayOf(ms(text)) === text

/** Today in UTC. */
export const today = (): string => dayOf(Date.now())

export const addDays = (day: string, days: number): string => dayOf(ms(day) + days * DAY_MS)

/** How many days these are. */
export const length = ({ from, to }: Days): number => (ms(to) - ms(from)) / DAY_MS + 1

/** Each of the days, in order. */
export const eachDay = (days: Days): ReadonlyArray<string> =>
  Array.from({ length: length(days) }, (_, n) => addDays(days.from, n))

const firstOfMonth = (day: string) => `${day.slice(0, 7)}-01`
const lastOfMonthBefore = (day: string) => addDays(firstOfMonth(day), -1)

/** The days of a period. `own` are those of `chosen`. */
export const daysOf = (period: Period, now: string, chosen: Days): Days => {
  switch (period) {
    case "month":
      return { from: firstOfMonth(now), to: now }
    case "7d":
      return { from: addDays(now, -6), to: now }
    case "30d":
      return { from: addDays(now, -29), to: now }
    case "last-month": {
      const to = lastOfMonthBefore(now)
      return { from: firstOfMonth(to), to }
    }
    case "own":
      return chosen
  }
}

/**
 * The period before it: of a month so far the same days of the month before (fewer where that is shorter), of a whole month the whole month
 * before, of any other as many days just before it.
 */
export const before = (period: Period, days: Days): Days => {
  const end = addDays(days.from, -1)
  switch (period) {
    case "month": {
      const to = `${end.slice(0, 7)}${days.to.slice(7)}`
      return { from: firstOfMonth(end), to: to < end ? to : end }
    }
    case "last-month":
      return { from: firstOfMonth(end), to: end }
    case "7d":
    case "30d":
    case "own":
      return { from: addDays(days.from, -length(days)), to: end }
  }
}

/** What is wrong with days that a person chose, as a sentence. */
export const wrongDays = ({ from, to }: Days): string | undefined =>
  !isDay(from) || !isDay(to)
    ? "Choose two days."
    : to < from
      ? "The first day is after the last."
      : length({ from, to }) > MOST_DAYS
        ? `At most ${MOST_DAYS} days.`
        : undefined
