import { Context, Metric } from "effect"

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

const requests = Metric.counter("http_requests_total", {
  description: "Requests that were answered, by method, route and status. 499: the client left first.",
  incremental: true
})
const durations = Metric.histogram("http_request_seconds", {
  description: "How long they took, to the last byte.",
  boundaries: SECONDS
})

/** Series by their labels. Their number is bounded: routes are templates, statuses ours, methods those that Node knows. */
const counters = new Map<string, typeof requests>()
const histograms = new Map<string, typeof durations>()
const nothing = Context.empty()

const seriesOf = <Key, Series>(series: Map<Key, Series>, key: Key, make: () => Series): Series => {
  const known = series.get(key)
  if (known !== undefined) return known
  const made = make()
  series.set(key, made)
  return made
}

/** Counts a finished request; `milliseconds` is its duration. */
export const counted = (method: string, route: string, status: number, milliseconds: number): void => {
  seriesOf(counters, `${status} ${method} ${route}`, () =>
    Metric.withAttributes(requests, { method, route, status: String(status) })
  ).updateUnsafe(1, nothing)
  seriesOf(histograms, route, () => Metric.withAttributes(durations, { route })).updateUnsafe(
    milliseconds / 1000,
    nothing
  )
}
