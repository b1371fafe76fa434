import type { GenerationId } from "@llm-saas/domain/Generation"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, Exit, Predicate } from "effect"
import * as Batches from "./Batches.ts"
import type { Pool } from "./connections/Pool.ts"
import { outageOrBug, unavailable } from "./PostgresError.ts"

/** A question that was stored. */
export interface StoredQuestion {
  readonly tenantId: TenantId
  readonly generationId: GenerationId
}

/** Waits until a stored question is on disk, with others that wait: an admission by limits may be committed before. See `work.flush`. */
export const flushing = (pool: Pool["Service"]) =>
  Batches.make({
    items: 1000,
    size: Number.POSITIVE_INFINITY,
    sizeOf: () => 0,
    write: (waiting: ReadonlyArray<StoredQuestion>) =>
      Effect.map(flush(pool, waiting), (exit) => waiting.map(() => exit))
  })

/** All of them were committed, so what shows that one is on disk shows it of all. */
const flush = (
  pool: Pool["Service"],
  [stored, ...others]: ReadonlyArray<StoredQuestion>
): Effect.Effect<Exit.Exit<void, Unavailable>> => {
  if (stored === undefined) return Effect.succeed(Exit.fail(unavailable()))
  const { generationId, tenantId } = stored
  return pool.write("select work.flush($1::uuid, $2::uuid) as done", [tenantId, generationId]).pipe(
    Effect.flatMap(({ rows: [row] }) =>
      Predicate.hasProperty(row, "done") && row.done === true ? Effect.succeed(Exit.void) : flush(pool, others)
    ),
    Effect.catchTag("SqlError", (error) => Effect.exit(outageOrBug(error))),
    Effect.catchTag("Unavailable", (error) => Effect.succeed(Exit.fail(error)))
  )
}
