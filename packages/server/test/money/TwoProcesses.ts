import { Context, Effect, Layer } from "effect"
import { Running, running } from "../Running.ts"

/** A second process of the program, on the same database. */
export class Other extends Context.Service<Other, Running["Service"]>()("test/money/Other") {
  /** Two processes with these variables: {@link Running} and this. */
  static readonly with = (variables: Record<string, string>) =>
    Layer.provideMerge(Layer.effect(Other, Effect.map(running(variables), Other.of)), Running.with(variables))
}
