import type { ProviderFailure } from "../ProviderFailure.ts"
import type { FallbackOn, Route } from "./Configuration.ts"

// The rules of a route. Nothing here is an effect.

/** The targets in the order in which they are asked. `random`: numbers from 0 to less than 1. */
export const orderOf = <T extends Weighted>(
  strategy: Route["strategy"],
  targets: ReadonlyArray<T>,
  random: () => number
): ReadonlyArray<T> => (strategy === "loadbalance" ? shuffled(targets, random) : targets)

interface Weighted {
  readonly weight: number
}

/**
 * In a random order: each place goes to one of the rest, with a probability in proportion to its weight. So where a target is skipped or
 * fails, its questions are shared among the others by their weights too. Those without weight come last, as they are.
 */
const shuffled = <T extends Weighted>(targets: ReadonlyArray<T>, random: () => number): ReadonlyArray<T> => {
  const rest = targets.filter(({ weight }) => weight > 0)
  const order: Array<T> = []
  while (rest.length > 0) {
    const sum = rest.reduce((weights, { weight }) => weights + weight, 0)
    let point = random() * sum
    // A point may reach the sum by rounding: the last one then.
    const index = rest.findIndex(({ weight }) => (point -= weight) < 0)
    order.push(...rest.splice(index, 1))
  }
  return [...order, ...targets.filter(({ weight }) => weight <= 0)]
}

/** Whether the next target is asked after this failure. */
export const fallsBack = ({ reasons, statuses }: FallbackOn, { reason, status }: ProviderFailure): boolean =>
  reasons.has(reason) || (status !== undefined && statuses.has(status))
