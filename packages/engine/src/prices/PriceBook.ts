import { PriceStore } from "@llm-saas/database/PriceStore"
import { repeat } from "@llm-saas/domain/Loop"
import type { PriceList } from "@llm-saas/domain/Price"
import { PriceCatalogue } from "@llm-saas/domain/PriceCatalogue"
import type { Pricing } from "@llm-saas/domain/Pricing"
import { Context, Effect, Layer } from "effect"

/** How often (ms) is looked for changed prices. */
const EVERY_MS = 5000
/** A loop that finished no round for this long is dead or hangs. */
const OVERDUE_AFTER = "2 minutes"

/**
 * The prices of providers, in memory. A changed price is known at every process 5 seconds later. While the database is away the prices
 * stay what they were; a process that starts meanwhile knows none but those of its configuration until it is back.
 */
export class PriceBook extends Context.Service<
  PriceBook,
  {
    /**
     * The prices of a call that began at this time, in milliseconds since 1970. `tier`: how the provider says it served it. Undefined: the
     * model has no price.
     */
    readonly pricesOf: (pricing: Pricing, at: number, tier?: string) => PriceList | undefined
  }
>()("@llm-saas/engine/prices/PriceBook") {
  static readonly layer = Layer.effect(
    PriceBook,
    Effect.gen(function* () {
      const store = yield* PriceStore
      let catalogue = new PriceCatalogue([], [])
      let known: number | undefined
      const round = Effect.gen(function* () {
        if (known !== undefined && (yield* store.revision) === known) return
        const read = yield* store.read
        known = read.revision
        catalogue = read.catalogue
      }).pipe(Effect.catchTag("Unavailable", () => Effect.void))
      yield* round
      yield* repeat({ name: "the prices of models", every: EVERY_MS, late: OVERDUE_AFTER }, round)
      return PriceBook.of({ pricesOf: (pricing, at, tier) => catalogue.pricesOf(pricing, at, tier) })
    })
  )
}
