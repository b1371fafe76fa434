import { count, day } from "../../ui/format.ts"
import { type Days, length } from "./period.ts"

interface Props {
  readonly days: Days
  readonly earlier: Days
  /** Today, in UTC. */
  readonly now: string
}

/** Which days are compared with which, and where that is not quite fair. */
export const PeriodText = ({ days, earlier, now }: Props) => (
  <p className="soft small">
    <Range days={days} />
    {days.to === now ? " (today is not over)" : ""}, compared with <Range days={earlier} />
    {length(earlier) === length(days) ? "" : ` (${count(length(days))} days with ${count(length(earlier))})`}.
  </p>
)

const Range = ({ days: { from, to } }: { readonly days: Days }) =>
  from === to ? (
    <time dateTime={from}>{day(from)}</time>
  ) : (
    <>
      <time dateTime={from}>{day(from)}</time> to <time dateTime={to}>{day(to)}</time>
    </>
  )
