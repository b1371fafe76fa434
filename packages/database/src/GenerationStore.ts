import type { AttemptRow } from "@llm-saas/domain/Attempt"
import type { GenerationId } from "@llm-saas/domain/Generation"
import { GenerationId as GenerationIdSchema } from "@llm-saas/domain/Generation"
import type { GenerationEnding } from "@llm-saas/domain/GenerationRecord"
import type { UsageItem } from "@llm-saas/domain/Price"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, Effect, Exit, Layer, Schema } from "effect"
import * as Batches from "./Batches.ts"
import { realTime } from "./connections/RealTime.ts"
import { unavailable } from "./PostgresError.ts"
import { Pool } from "./connections/Pool.ts"

/** The columns that identify a generation to the functions of `work`. */
export interface Running {
  readonly tenantId: TenantId
  readonly generationId: GenerationId
}

/** The new tokens of an answer. */
export interface Chunk extends Running {
  /** The number of the first of these tokens, from 1. */
  readonly seq: number
  readonly tokens: ReadonlyArray<string>
}

/** An answer's end: its record, its text, and the length of each entry of its log in characters. */
export interface EndedAnswer {
  readonly ending: GenerationEnding
  readonly response: string
  readonly tokenLengths: ReadonlyArray<number>
  /** The whole log, where it is more than the text; else null. */
  readonly log: string | null
  readonly attempts: ReadonlyArray<AttemptRow>
  readonly account: AnswerAccount
}

/** What an answer used, for the ledger and the limits of the minute. */
export interface AnswerAccount {
  readonly items: ReadonlyArray<UsageItem & { readonly attempt: number; readonly estimated?: boolean }>
  /** Whether all prices and counts are known. */
  readonly priced: boolean
  readonly tokens_used: number
}

/**
 * Why a generation is not simply continued. `cancel`: it was asked to stop; `lost`: its lease is lost, another process ended it;
 * `followed`: it is read at another process; `busy`: its row is locked, nothing was written, and the same chunk must be sent again.
 */
export interface Notice {
  readonly generationId: GenerationId
  readonly reason: "cancel" | "lost" | "followed" | "busy"
}

const Notices = Schema.Array(
  Schema.Struct({
    generationId: GenerationIdSchema,
    reason: Schema.Literals(["cancel", "lost", "followed", "busy"])
  }).pipe(Schema.encodeKeys({ generationId: "generation_id" }))
)

/**
 * Generation writes authorised by a lease, not by a user: the functions of `sql/functions/50_work.sql`, outside any room. They return none
 * of a generation's content. One round trip each, for any number of tenants.
 */
export class GenerationStore extends Context.Service<
  GenerationStore,
  {
    /** Adds chunks. Repeatable: stored tokens are not added again. A `busy` chunk is sent again, with the tokens added meanwhile. */
    readonly append: (lease: string, chunks: ReadonlyArray<Chunk>) => Effect.Effect<ReadonlyArray<Notice>, Unavailable>
    /** Renews the leases for 30 seconds. Repeatable. */
    readonly renew: (
      lease: string,
      running: ReadonlyArray<Running>
    ) => Effect.Effect<ReadonlyArray<Notice>, Unavailable>
    /**
     * Ends a generation, with others that end meanwhile in one statement. Repeatable. False: it had ended already. Also fails with Unavailable
     * where another transaction holds its row.
     */
    readonly finish: (answer: EndedAnswer) => Effect.Effect<boolean, Unavailable>
    /** Ends at most `limit` generations of lost processes. Returns how many. */
    readonly sweep: (limit: number) => Effect.Effect<number, Unavailable>
    /** Removes at most `limit` rows that are marked as deleted. Returns how many. */
    readonly purge: (limit: number) => Effect.Effect<number, Unavailable>
    /** Folds at most `limit` entries of the ledger into the sums of usage. Returns how many. */
    readonly foldUsage: (limit: number) => Effect.Effect<number, Unavailable>
  }
>()("@llm-saas/database/GenerationStore") {
  static readonly layer = Layer.effect(
    GenerationStore,
    Effect.gen(function* () {
      const pool = yield* Pool
      const finish = yield* realTime(Batches.make({ ...FINISH_BATCH, write: (answers) => finishAll(pool, answers) }))

      return GenerationStore.of({
        append: (lease, chunks) =>
          pool.call(
            "select * from work.append($1::uuid, $2::uuid[], $3::uuid[], $4::int4[], $5::text[])",
            [
              lease,
              chunks.map(({ tenantId }) => tenantId),
              chunks.map(({ generationId }) => generationId),
              chunks.map(({ seq }) => seq),
              chunks.map(({ tokens }) => JSON.stringify(tokens))
            ],
            Notices,
            LINE
          ),
        renew: (lease, running) =>
          pool.call(
            "select * from work.renew($1::uuid, $2::uuid[], $3::uuid[])",
            [lease, running.map(({ tenantId }) => tenantId), running.map(({ generationId }) => generationId)],
            Notices,
            LINE
          ),
        finish,
        sweep: (limit) =>
          Effect.map(
            pool.call(
              "select work.sweep($1::int4), audit.end_readers()",
              [limit],
              Schema.Tuple([Schema.Struct({ sweep: Schema.Int })]),
              LINE
            ),
            ([{ sweep }]) => sweep
          ),
        purge: (limit) =>
          Effect.map(
            pool.call(
              "select work.purge($1::int4)",
              [limit],
              Schema.Tuple([Schema.Struct({ purge: Schema.Int })]),
              LINE
            ),
            ([{ purge }]) => purge
          ),
        foldUsage: (limit) =>
          Effect.map(
            pool.call(
              "select work.fold_usage($1::int4)",
              [limit],
              Schema.Tuple([Schema.Struct({ fold_usage: Schema.Int })]),
              LINE
            ),
            ([{ fold_usage }]) => fold_usage
          )
      })
    })
  )
}

/** Writes for many tenants at once wait for a connection in their own line. */
const LINE = "work"

/** At most this many answers and characters are ended in one statement. */
const FINISH_BATCH = {
  items: 100,
  size: 1_000_000,
  // A statement costs as much as what two answers add to it. Without this, an idle database takes each answer by itself, and one that is
  // busy several: the cost of an answer was higher, the less there was to do.
  apartMs: 10,
  sizeOf: ({ log, response }: EndedAnswer) => response.length + (log?.length ?? 0)
}

type Finished = Exit.Exit<boolean, Unavailable>

/** Ends answers of any tenants in one statement. If it fails by a fault of ours, each alone: the others are not at fault. */
const finishAll = (
  pool: Pool["Service"],
  answers: ReadonlyArray<EndedAnswer>
): Effect.Effect<ReadonlyArray<Finished>> =>
  finishTogether(pool, answers).pipe(
    Effect.catch((error) => Effect.succeed(answers.map(() => Exit.fail(error)))),
    Effect.catchDefect((defect) =>
      answers.length === 1
        ? Effect.succeed([Exit.die(defect)])
        : Effect.map(
            Effect.forEach(answers, (answer) => finishAll(pool, [answer])),
            (each) => each.flat()
          )
    )
  )

const finishTogether = (pool: Pool["Service"], answers: ReadonlyArray<EndedAnswer>) =>
  Effect.map(
    pool.call(
      "select * from work.finish_many($1::text::jsonb, $2::text[], $3::text[], $4::text[])",
      [
        JSON.stringify(answers.map(({ account, attempts, ending }) => ({ ...ending, ...account, attempts }))),
        answers.map(({ response }) => response),
        answers.map(({ tokenLengths }) => `{${tokenLengths.join(",")}}`),
        // The driver cannot encode a list of nulls alone.
        answers.map(({ log }) => log ?? "")
      ],
      Notices,
      LINE
    ),
    (notices) => {
      const reasons = new Map(notices.map(({ generationId, reason }) => [generationId, reason]))
      return answers.map(({ ending }): Finished => {
        const reason = reasons.get(ending.id)
        return reason === "busy" ? Exit.fail(unavailable()) : Exit.succeed(reason === undefined)
      })
    }
  )
