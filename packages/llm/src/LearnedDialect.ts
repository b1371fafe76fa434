import { Effect } from "effect"
import { both, COMMON, type Dialect, refused } from "./Dialect.ts"

/** The dialect of one target: without the parameters its server refused, learned when a request without them worked. */
export class LearnedDialect {
  readonly #model: string
  #dialect: Dialect = COMMON

  constructor(model: string) {
    this.#model = model
  }

  get dialect(): Dialect {
    return this.#dialect
  }

  /** A request in this dialect worked. Each parameter that is not sent any more is a warning, once. */
  learn(worked: Dialect): Effect.Effect<void> {
    const before = refused(this.#dialect)
    this.#dialect = both(this.#dialect, worked)
    return Effect.forEach(
      refused(this.#dialect).filter((parameter) => !before.includes(parameter)),
      (parameter) =>
        Effect.logWarning("the model's provider does not take a parameter: it is asked without", {
          model: this.#model,
          parameter
        }),
      { discard: true }
    )
  }
}
