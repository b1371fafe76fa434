import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Deferred, Duration, Effect, Exit, type Scope } from "effect"

/** How items become batches, and what is done with one. */
export interface BatchOptions<Item, A, E> {
  /** Most items of one batch. */
  readonly items: number
  /** The size of one item, and the most that the items of one batch have together, unless the first alone has more. */
  readonly sizeOf: (item: Item) => number
  readonly size: number
  /** A batch begins at least this long (ms) after the one before it began, unless it is full: what comes meanwhile is in it. */
  readonly apartMs?: number
  /** Items of one batch have the same key, and batches of different keys may be under way at once. Default: all have the same. */
  readonly keyOf?: (item: Item) => string
  /** Writes a batch, and returns the result of each item, in order. */
  readonly write: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>>
}

interface Waiting<Item, A, E> {
  readonly item: Item
  readonly result: Deferred.Deferred<A, E>
}

/** The items of one key. */
interface Line<Item, A, E> {
  readonly waiting: Set<Waiting<Item, A, E>>
  beganAt: number
  writing: boolean
}

/**
 * Writes items in batches, one of each key at a time: what is submitted while a batch is under way makes the next one. Alone, an item is
 * written at once, unless another was a moment before. An item whose caller no longer waits is left out, unless its batch is under way.
 */
export const make = Effect.fnUntraced(function* <Item, A, E>(
  options: BatchOptions<Item, A, E>
): Effect.fn.Return<(item: Item) => Effect.Effect<A, E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const { apartMs = 0, keyOf = () => "" } = options
  const lines = new Map<string, Line<Item, A, E>>()

  const lineOf = (key: string): Line<Item, A, E> => {
    const line = lines.get(key) ?? { waiting: new Set(), beganAt: Number.NEGATIVE_INFINITY, writing: false }
    lines.set(key, line)
    return line
  }

  const next = (waiting: Set<Waiting<Item, A, E>>): ReadonlyArray<Waiting<Item, A, E>> => {
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
    for (const { result } of batch)
      Deferred.doneUnsafe(result, results(index++) ?? Effect.die("a batch has no result for an item"))
  }

  /** In the step that saw that nothing waits: what comes later begins anew. */
  const rest = (key: string, line: Line<Item, A, E>) => {
    line.writing = false
    if (apartMs === 0) lines.delete(key)
  }

  const writeAll = (key: string, line: Line<Item, A, E>): Effect.Effect<void> => {
    let batch: ReadonlyArray<Waiting<Item, A, E>> = []
    const written = Effect.gen(function* () {
      while (line.waiting.size > 0) {
        const early = line.beganAt + apartMs - monotonicMillis(clock)
        if (early > 0 && line.waiting.size < options.items) yield* clock.sleep(Duration.millis(early))
        line.beganAt = monotonicMillis(clock)
        batch = next(line.waiting)
        const results = yield* Effect.exit(options.write(batch.map(({ item }) => item)))
        end(batch, (index) => (Exit.isSuccess(results) ? results.value[index] : Effect.failCause(results.cause)))
        batch = []
      }
      rest(key, line)
    })
    return Effect.onInterrupt(written, () =>
      Effect.sync(() => end([...batch, ...line.waiting], () => Effect.interrupt))
    ).pipe(Effect.onError(() => Effect.sync(() => rest(key, line))))
  }

  return (item) =>
    Effect.suspend(() => {
      const key = keyOf(item)
      const line = lineOf(key)
      // In this step, in which the line is looked at: a moment later it may have ended.
      const one = { item, result: Deferred.makeUnsafe<A, E>() }
      line.waiting.add(one)
      const result = Effect.onInterrupt(Deferred.await(one.result), () =>
        Effect.sync(() => void line.waiting.delete(one))
      )
      if (line.writing) return result
      line.writing = true
      // Begins in the next turn of the scheduler: with everything that is submitted in this one.
      return Effect.andThen(Effect.forkIn(writeAll(key, line), scope), result)
    })
})
