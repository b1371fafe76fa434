import type { GenerationId } from "@llm-saas/domain/Generation"
import { GenerationId as GenerationIdSchema } from "@llm-saas/domain/Generation"
import type { GenerationEnding } from "@llm-saas/domain/GenerationRecord"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Schema } from "effect"
import { outageOrBug } from "./Outage.ts"
import { Pool } from "./connections/Pool.ts"

/** A generation as the work knows it. */
export interface Running {
  readonly tenantId: TenantId
  readonly generationId: GenerationId
}

/** What came of an answer since the last time. */
export interface Chunk extends Running {
  /** The place of the first of these tokens, from 1 on. */
  readonly seq: number
  readonly tokens: ReadonlyArray<string>
}

/** An answer's end: its record, the text, and how many characters each token has. */
export interface EndedAnswer {
  readonly ending: GenerationEnding
  readonly response: string
  readonly tokenLengths: ReadonlyArray<number>
}

/**
 * What the database says about a generation beside "go on": it was asked to stop; its lease is lost, so that another process ended it;
 * it is read at another process; or its row is busy, so that nothing was written and the same is to be sent again.
 */
export interface Notice {
  readonly generationId: GenerationId
  readonly reason: "cancel" | "lost" | "followed" | "busy"
}

const Notices = Schema.Array(
  Schema.Struct({ generation_id: GenerationIdSchema, reason: Schema.Literals(["cancel", "lost", "followed", "busy"]) })
)

/**
 * What goes on when the request is over, and so outside of any room: the functions of `sql/functions/50_work.sql`. They write for a
 * generation whose lease the caller holds, and give nothing of its content back. One round trip each, for any number of tenants.
 */
export class GenerationStore extends Context.Service<
  GenerationStore,
  {
    readonly append: (lease: string, chunks: ReadonlyArray<Chunk>) => Effect.Effect<ReadonlyArray<Notice>, Unavailable>
    readonly renew: (
      lease: string,
      running: ReadonlyArray<Running>
    ) => Effect.Effect<ReadonlyArray<Notice>, Unavailable>
    /** False: it had ended already. Unavailable too where another transaction has its row. */
    readonly finish: (answer: EndedAnswer) => Effect.Effect<boolean, Unavailable>
    /** Ends what a lost process left. How many there were, `limit` at most. */
    readonly sweep: (limit: number) => Effect.Effect<number, Unavailable>
    /** Removes at most `limit` rows of what is marked as deleted, and answers how many. */
    readonly purge: (limit: number) => Effect.Effect<number, Unavailable>
  }
>()("@llm-saas/database/GenerationStore") {
  static readonly layer = Layer.effect(
    GenerationStore,
    Effect.gen(function* () {
      const pool = yield* Pool

      const call = (sql: string, params: ReadonlyArray<unknown>, line = "work") =>
        pool
          .use((connection) => connection.query(sql, params), line)
          .pipe(
            Effect.map((result) => result.rows),
            Effect.catchTag("SqlError", outageOrBug)
          )
      const decodeNotices = Schema.decodeUnknownEffect(Notices)
      const notices = (rows: ReadonlyArray<unknown>) =>
        Effect.map(Effect.orDie(decodeNotices(rows)), (found) =>
          found.map(({ generation_id, reason }): Notice => ({ generationId: generation_id, reason }))
        )
      const decodeFinished = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ finish: Schema.Boolean })]))
      const decodePurged = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ purge: Schema.Int })]))
      const decodeSwept = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ sweep: Schema.Int })]))

      return GenerationStore.of({
        append: (lease, chunks) =>
          Effect.flatMap(
            call("select * from work.append($1::uuid, $2::uuid[], $3::uuid[], $4::int4[], $5::text[])", [
              lease,
              chunks.map(({ tenantId }) => tenantId),
              chunks.map(({ generationId }) => generationId),
              chunks.map(({ seq }) => seq),
              chunks.map(({ tokens }) => JSON.stringify(tokens))
            ]),
            notices
          ),
        renew: (lease, running) =>
          Effect.flatMap(
            call("select * from work.renew($1::uuid, $2::uuid[], $3::uuid[])", [
              lease,
              running.map(({ tenantId }) => tenantId),
              running.map(({ generationId }) => generationId)
            ]),
            notices
          ),
        finish: ({ ending, response, tokenLengths }) =>
          Effect.map(
            Effect.flatMap(
              call(
                "select work.finish($1::text::jsonb, $2::text, $3::int4[])",
                [JSON.stringify(ending), response, tokenLengths],
                // What one tenant keeps busy or locked is waited for by that tenant's answers alone.
                ending.tenant_id
              ),
              (rows) => Effect.orDie(decodeFinished(rows))
            ),
            ([{ finish }]) => finish
          ),
        sweep: (limit) =>
          Effect.map(
            Effect.flatMap(call("select work.sweep($1::int4), audit.end_readers()", [limit]), (rows) =>
              Effect.orDie(decodeSwept(rows))
            ),
            ([{ sweep }]) => sweep
          ),
        purge: (limit) =>
          Effect.map(
            Effect.flatMap(call("select work.purge($1::int4)", [limit]), (rows) => Effect.orDie(decodePurged(rows))),
            ([{ purge }]) => purge
          )
      })
    })
  )
}
