import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Duration, Effect, Exit, type Scope } from "effect"

/** How items become batches, and what is done with one. */
export interface BatchOptions<Item, A, E> {
  /** Most items of one batch. */
  readonly items: number
  /** The size of one item, and the most that the items of one batch have together, unless the first alone has more. */
  readonly sizeOf: (item: Item) => number
  readonly size: number
  /** A batch begins at least this long (ms) after the one before it began, unless it is full: what comes meanwhile is in it. */
  readonly apartMs?: number
  /** Writes a batch, and returns the result of each item, in order. */
  readonly write: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>>
}

interface Waiting<Item, A, E> {
  readonly item: Item
  readonly resume: (result: Effect.Effect<A, E>) => void
}

/**
 * Writes items in batches, one at a time: what is submitted while a batch is under way makes the next one. Alone, an item is written at
 * once, unless another was a moment before. An item whose caller no longer waits is left out, unless its batch is under way.
 */
export const make = Effect.fnUntraced(function* <Item, A, E>(
  options: BatchOptions<Item, A, E>
): Effect.fn.Return<(item: Item) => Effect.Effect<A, E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const waiting = new Set<Waiting<Item, A, E>>()
  let writing = false
  let beganAt = Number.NEGATIVE_INFINITY

  const next = (): ReadonlyArray<Waiting<Item, A, E>> => {
    const batch: Array<Waiting<Item, A, E>> = []
    let size = 0
    for (const one of waiting) {
      size += options.sizeOf(one.item)
      if (batch.length === options.items || (batch.length > 0 && size > options.size)) break
      waiting.delete(one)
      batch.push(one)
    }
    return batch
  }

  const end = (batch: Iterable<Waiting<Item, A, E>>, results: (index: number) => Effect.Effect<A, E> | undefined) => {
    let index = 0
    for (const { resume } of batch) resume(results(index++) ?? Effect.die("a batch has no result for an item"))
  }
  const writeAll: Effect.Effect<void> = Effect.gen(function* () {
    let batch: ReadonlyArray<Waiting<Item, A, E>> = []
    const written = Effect.gen(function* () {
      while (waiting.size > 0) {
        const early = beganAt + (options.apartMs ?? 0) - monotonicMillis(clock)
        if (early > 0 && waiting.size < options.items) yield* clock.sleep(Duration.millis(early))
        beganAt = monotonicMillis(clock)
        batch = next()
        const results = yield* Effect.exit(options.write(batch.map(({ item }) => item)))
        end(batch, (index) => (Exit.isSuccess(results) ? results.value[index] : Effect.failCause(results.cause)))
        batch = []
      }
      // In the step that saw that nothing waits: what comes later begins anew.
      writing = false
    })
    yield* Effect.onInterrupt(written, () => Effect.sync(() => end([...batch, ...waiting], () => Effect.interrupt)))
  }).pipe(Effect.onError(() => Effect.sync(() => (writing = false))))

  return (item) =>
    Effect.suspend(() => {
      const result = Effect.callback<A, E>((resume) => {
        const one = { item, resume }
        waiting.add(one)
        return Effect.sync(() => void waiting.delete(one))
      })
      if (writing) return result
      writing = true
      // Begins in the next turn of the scheduler: with everything that is submitted in this one.
      return Effect.andThen(Effect.forkIn(writeAll, scope), result)
    })
})
