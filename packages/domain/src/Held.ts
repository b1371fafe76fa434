import { Effect, Scope } from "effect"

/**
 * As `Effect.acquireRelease`, for a `release` that needs no service: it runs with those of the fiber that closes the scope. Providing it
 * with the services of `take` copies all that the process has, for every request: a thirtieth of what a question costs.
 */
export const held = <A, E, R>(
  take: Effect.Effect<A, E, R>,
  release: (taken: A) => Effect.Effect<void>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) =>
    Effect.uninterruptible(Effect.tap(take, (taken) => Scope.addFinalizer(scope, release(taken))))
  )
