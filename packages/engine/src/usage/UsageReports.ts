import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor, asAdmin } from "@llm-saas/domain/Actor"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { GenerationId } from "@llm-saas/domain/Generation"
import { percentile } from "@llm-saas/domain/Histogram"
import type { Page } from "@llm-saas/domain/Page"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import type { InsufficientScope } from "@llm-saas/domain/Scope"
import { cursorOf, type Dimension, dollars, UsageEntry, UsageRow, valuesOf } from "@llm-saas/domain/UsageReport"
import { UserId } from "@llm-saas/domain/User"
import { Context, Data, DateTime, Effect, Layer } from "effect"
import { type EntryRow, type GroupRow, type Place, selectEntries, selectGroups } from "./UsageQueries.ts"

type Refused = Unauthenticated | Forbidden | InsufficientScope | Unavailable

/** The cursor is not one of a page that is grouped so. */
export class OtherGrouping extends Data.TaggedError("OtherGrouping")<{}> {}

/** Which usage: days in UTC, both included. By default from the first of this month to today. */
export interface Period {
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** `own`: the actor's. `tenant`: of all its users, for admins. */
  readonly scope: "own" | "tenant"
}

/** A page of groups. */
export interface Grouped extends Period {
  readonly by: ReadonlyArray<Dimension>
  readonly limit: number
  readonly cursor: string | undefined
}

/** Some entries, and where the next ones begin: null behind the last. */
export interface Entries {
  readonly data: ReadonlyArray<UsageEntry>
  readonly next: Place | null
}

/** What was used and what it cost, in sums and one by one. */
export class UsageReports extends Context.Service<
  UsageReports,
  {
    /** Groups in the order of what they are grouped by. Without any, one row of all. */
    readonly page: (of: Grouped) => Effect.Effect<Page<UsageRow>, OtherGrouping | Refused, Actor>
    /** At most `limit` entries of the ledger in the order of time, after a place. */
    readonly entries: (
      of: Period & { readonly after: Place | null; readonly limit: number }
    ) => Effect.Effect<Entries, Refused, Actor>
  }
>()("@llm-saas/engine/usage/UsageReports") {
  static readonly layer = Layer.effect(
    UsageReports,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy

      const page: UsageReports["Service"]["page"] = Effect.fn("UsageReports.page")(function* ({
        by,
        cursor,
        limit,
        ...of
      }) {
        const after = cursor === undefined ? null : valuesOf(cursor, by)
        if (after === undefined) return yield* new OtherGrouping()
        const period = yield* daysOf(of)
        const rows = yield* tenancy
          .read(selectGroups({ of: of.scope, ...period, grain: grainOf(of.scope, by), by, after, limit: limit + 1 }))
          .pipe(Effect.provideService(Actor, yield* actorOf(of.scope)))
        const shown = rows.slice(0, limit)
        const last = shown.at(-1)
        return {
          data: shown.map((row) => toRow(by, row)),
          next_cursor: rows.length > limit && last !== undefined ? cursorOf(last.place) : null
        }
      })

      const entries: UsageReports["Service"]["entries"] = Effect.fn("UsageReports.entries")(function* ({
        after,
        limit,
        ...of
      }) {
        const period = yield* daysOf(of)
        const rows = yield* tenancy
          .read(selectEntries({ of: of.scope, ...period, after, limit }))
          .pipe(Effect.provideService(Actor, yield* actorOf(of.scope)))
        const last = rows.at(-1)
        return {
          data: rows.map(toEntry),
          next: rows.length < limit || last === undefined ? null : { moment: last.moment, id: last.id }
        }
      })

      return UsageReports.of({ page, entries })
    })
  )
}

const actorOf = (scope: Period["scope"]) =>
  Effect.flatMap(Actor, (actor) => (scope === "tenant" ? asAdmin(actor) : Effect.succeed(actor)))

const daysOf = ({ from, to }: Period) =>
  Effect.map(DateTime.now, (now) => {
    const today = DateTime.formatIsoDateUtc(now)
    return { from: from ?? `${today.slice(0, 8)}01`, to: to ?? today }
  })

/** The sums to read: the coarsest that know what is asked for. */
const grainOf = (scope: Period["scope"], by: ReadonlyArray<Dimension>) => {
  const asks = (...some: ReadonlyArray<Dimension>) => by.some((dimension) => some.includes(dimension))
  if (asks("model", "door")) return scope === "own" || asks("user", "key") ? "both" : "model"
  return scope === "own" || asks("user", "key") ? "user" : "model"
}

/** Stands for no user and no key in the sums. */
const NOBODY = "00000000-0000-0000-0000-000000000000"

const MEMBERS: Readonly<Record<Dimension, (value: string) => Partial<ConstructorParameters<typeof UsageRow>[0]>>> = {
  day: (day) => ({ day }),
  user: (id) => ({ user_id: id === NOBODY ? null : UserId.make(id) }),
  key: (id) => ({ key_id: id === NOBODY ? null : KeyId.make(id) }),
  model: (model) => ({ model }),
  door: (door) => ({ door })
}

const LATENCY = "latency/"
const FIRST_TOKEN = "first_token/"

/** The counts that begin so, without it. */
const under = (counts: GroupRow["counts"], prefix: string) =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), count]] : []
    )
  )

const toRow = (by: ReadonlyArray<Dimension>, { cost, counts, errors, place, requests, unpriced }: GroupRow) => {
  const latency = under(counts, LATENCY)
  const firstToken = under(counts, FIRST_TOKEN)
  return new UsageRow({
    ...Object.assign({}, ...by.map((dimension, n) => MEMBERS[dimension](place[n] ?? ""))),
    requests,
    errors,
    unpriced,
    units: Object.fromEntries(Object.entries(counts).filter(([name]) => !name.includes("/"))),
    cost_usd: dollars(cost),
    latency_p50_ms: percentile(latency, 0.5),
    latency_p95_ms: percentile(latency, 0.95),
    ttft_p50_ms: percentile(firstToken, 0.5),
    ttft_p95_ms: percentile(firstToken, 0.95)
  })
}

const toEntry = ({ cost, generation_id, key_id, moment: _, user_id, ...row }: EntryRow) =>
  new UsageEntry({
    ...row,
    generation_id: generation_id === null ? null : GenerationId.make(generation_id),
    user_id: user_id === null ? null : UserId.make(user_id),
    key_id: key_id === null ? null : KeyId.make(key_id),
    cost_usd: dollars(cost)
  })
