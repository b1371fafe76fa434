import { Effect, Exit, Scope } from "effect"
import type { TestProject } from "vitest/node"
import { open } from "./DatabaseBroker.ts"

/** What this setup provides to test processes. */
export interface DatabaseBrokerAddress {
  /** The address where a test process asks for its database; see DatabaseBroker.ts. */
  readonly databaseBroker: string
}

declare module "vitest" {
  interface ProvidedContext extends DatabaseBrokerAddress {}
}

/** Vitest's global setup: one server per run, started at the first test that asks for it, stopped when the run ends. */
export default (project: TestProject): Promise<() => Promise<void>> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const supply = Effect.gen(function* () {
      // Loaded when needed, so that runs of unit tests start fast.
      const { cluster } = yield* Effect.promise(() => import("./Cluster.ts"))
      const { template } = yield* Effect.promise(() => import("./Template.ts"))
      const server = yield* cluster(process.env)
      const { password, name } = yield* template(server)
      return { server, template: name, password }
    }).pipe(Scope.provide(scope))
    project.provide("databaseBroker", yield* open(supply).pipe(Scope.provide(scope)))
    return () => Effect.runPromise(Scope.close(scope, Exit.void))
  }).pipe(Effect.runPromise)
