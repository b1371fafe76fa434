import { Effect, Exit, Scope } from "effect"
import type { TestProject } from "vitest/node"
import { open } from "./DatabaseBroker.ts"

/** What this setup gives to test processes. */
export interface DatabaseDesk {
  /** Where a test process asks for its database; see DatabaseBroker.ts. */
  readonly databaseDesk: string
}

declare module "vitest" {
  interface ProvidedContext extends DatabaseDesk {}
}

/** Vitest's global setup: one server a run, started when the first test asks for it, gone when the run ends. */
export default (project: TestProject): Promise<() => Promise<void>> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const supply = Effect.gen(function* () {
      // Loaded when they are needed, for the sake of runs of unit tests.
      const { cluster } = yield* Effect.promise(() => import("./Cluster.ts"))
      const { template } = yield* Effect.promise(() => import("./Template.ts"))
      const server = yield* cluster(process.env)
      const { password, name } = yield* template(server)
      return { server, template: name, password }
    }).pipe(Scope.provide(scope))
    project.provide("databaseDesk", yield* open(supply).pipe(Scope.provide(scope)))
    return () => Effect.runPromise(Scope.close(scope, Exit.void))
  }).pipe(Effect.runPromise)
