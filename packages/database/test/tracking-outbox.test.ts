import { assert, layer } from "@effect/vitest"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { grantReader } from "@llm-saas/database/logins/AuditorLogins"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { type Settlement, TrackingOutbox, type TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import type { Actor } from "@llm-saas/domain/Actor"
import { answered, asked, ended, type Place, newUser } from "@llm-saas/testing/GenerationFixture"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Duration, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { open, type Session, stateOf } from "./Session.ts"

const services = Layer.mergeAll(Tenancy.layer, PreTenantAccess.layer, GenerationStore.layer).pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ apiUrl }) =>
        Pool.layer({ url: apiUrl, size: 3, acquireTimeout: "5 seconds", waiting: 1000 })
      )
    )
  )
)
const outbox = TrackingOutbox.layer.pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ jobsUrl }) =>
        Pool.layer({ url: jobsUrl, size: 4, acquireTimeout: "5 seconds", waiting: 1000 })
      )
    )
  )
)
const world = Layer.mergeAll(services, outbox).pipe(Layer.provideMerge(TestDatabase.layerAlone))

const claim = (worker: string, limit = 100, content = true) =>
  Effect.flatMap(TrackingOutbox, (tracking) => tracking.claim({ worker, limit, seconds: 60, content }))

const settled = (record: TrackingRecord, more: Partial<Settlement> = {}) =>
  ({
    tenant_id: record.tenant_id,
    generation_id: record.generation_id,
    revision: record.revision,
    outcome: "done",
    runId: record.run_id,
    runDone: true,
    traceSent: true,
    feedback: [],
    ...more
  }) as Settlement

const settle = (worker: string, settlements: ReadonlyArray<Settlement>) =>
  Effect.flatMap(TrackingOutbox, (tracking) => tracking.settle(worker, settlements))

/** The record of one answer among all that are due. The others are returned. */
const claimed = Effect.fnUntraced(function* (worker: string, { generationId }: Place, content = true) {
  const records = yield* claim(worker, 100, content)
  const others = records.filter((record) => record.generation_id !== generationId)
  yield* settle(
    worker,
    others.map((record) =>
      settled(record, {
        outcome: "later",
        delayMs: 0,
        counts: false,
        unsure: record.unsure,
        runDone: record.run_done,
        traceSent: record.trace_sent
      })
    )
  )
  return records.find((record) => record.generation_id === generationId)
})

const admin = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

const rate = (
  session: Session,
  actor: Actor["Service"],
  { messageId }: Place,
  rating: number,
  comment: string | null
) =>
  Effect.gen(function* () {
    yield* session.rows("begin")
    yield* session.rows("select app.enter($1, $2, 0, 'user')", [actor.tenantId, actor.userId])
    yield* session.rows(
      `insert into app.feedback (tenant_id, message_id, user_id, rating, comment) values (app.tenant_id(), $1, app.user_id(), $2, $3)
       on conflict (tenant_id, message_id, user_id) do update set rating = excluded.rating, comment = excluded.comment`,
      [messageId, rating, comment]
    )
    yield* session.rows("commit")
  })
const opinion = Effect.fnUntraced(function* (actor: Actor["Service"], place: Place, rating: number, comment?: string) {
  const session = yield* Effect.flatMap(TestDatabase, ({ apiUrl }) => open(apiUrl))
  yield* rate(session, actor, place, rating, comment ?? null)
}, Effect.scoped)

layer(world)("a record for the tracker", (it) => {
  it.effect("has every field that is sent, and exists as soon as the answer ended", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const place = yield* asked(actor, { content: "What is a room?" })
      assert.isUndefined(yield* claimed(randomUUID(), place))
      yield* ended(actor, place, {
        response: "Four walls.",
        tokens_in: 5,
        tokens_out: 4,
        cost_usd: 0.25,
        response_model: "m-2"
      })
      const record = yield* claimed(randomUUID(), place)
      assert.deepInclude(record, {
        tenant_id: actor.tenantId,
        user_id: actor.userId,
        message_id: place.messageId,
        source: "messages",
        status: "completed",
        finish_reason: "stop",
        provider: "mock",
        model: "mock-1",
        response_model: "m-2",
        tokens_in: 5,
        tokens_out: 4,
        cost_usd: 0.25,
        prompt_length: 15,
        response_length: 11,
        trace_id: place.traceId,
        caller_trace_id: null,
        created_at: 1_790_000_000_000,
        admitted_at: 1_790_000_000_002,
        first_token_at: 1_790_000_000_105,
        content: "What is a room?",
        response: "Four walls.",
        unsure: false,
        attempts: 0
      })
    })
  )

  it.effect("is claimed by one of many at once", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const places = yield* Effect.forEach(Array.from({ length: 40 }), () => answered(actor))
      const claims = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => claim(randomUUID(), 7), {
        concurrency: "unbounded"
      })
      const ids = claims.flat().map(({ generation_id }) => generation_id)
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.isAtLeast(ids.length, 40)
      assert.deepStrictEqual(
        places.filter(({ generationId }) => !ids.includes(generationId)),
        []
      )
    })
  )

  it.effect("of an expired claim is sent by another process, which checks first, and only that one may settle it", () =>
    Effect.gen(function* () {
      const place = yield* answered(yield* newUser())
      const [lost, next] = [randomUUID(), randomUUID()]
      const first = yield* claimed(lost, place)
      assert.strictEqual(first?.unsure, false)
      assert.isUndefined(yield* claimed(next, place))
      const session = yield* admin
      yield* session.rows(
        `update app.tracking_outbox set claimed_until = now() - interval '1 second' where generation_id = '${place.generationId}'`
      )
      const second = yield* claimed(next, place)
      assert.strictEqual(second?.unsure, true)
      if (first === undefined || second === undefined) return assert.fail("not claimed")
      yield* settle(lost, [settled(first)])
      assert.strictEqual(
        yield* session.count(`select from app.tracking_outbox where generation_id = '${place.generationId}'`),
        1
      )
      yield* settle(next, [settled(second)])
      assert.strictEqual(
        yield* session.count(`select from app.tracking_outbox where generation_id = '${place.generationId}'`),
        0
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that could not be sent comes back when it is due, and continues from its delivery state", () =>
    Effect.gen(function* () {
      const place = yield* answered(yield* newUser())
      const worker = randomUUID()
      const first = yield* claimed(worker, place)
      if (first === undefined) return assert.fail("not claimed")
      yield* settle(worker, [
        settled(first, {
          outcome: "later",
          delayMs: 60_000,
          counts: true,
          unsure: true,
          runId: "run",
          runDone: true,
          traceSent: false
        })
      ])
      assert.isUndefined(yield* claimed(worker, place))
      const session = yield* admin
      yield* session.rows(
        `update app.tracking_outbox set next_attempt_at = now() where generation_id = '${place.generationId}'`
      )
      assert.deepInclude(yield* claimed(worker, place), {
        run_id: "run",
        run_done: true,
        trace_sent: false,
        unsure: true,
        attempts: 1
      })
    }).pipe(Effect.scoped)
  )

  it.effect("that is refused for good waits with its reason, and delays no other record", () =>
    Effect.gen(function* () {
      const { lag } = yield* TrackingOutbox
      const actor = yield* newUser()
      const place = yield* answered(actor)
      const worker = randomUUID()
      const record = yield* claimed(worker, place)
      if (record === undefined) return assert.fail("not claimed")
      const before = yield* lag
      yield* settle(worker, [settled(record, { outcome: "parked", reason: "400 INVALID_PARAMETER_VALUE" })])
      assert.deepInclude(yield* lag, { parked: before.parked + 1, pending: before.pending - 1 })
      assert.isUndefined(yield* claimed(worker, place))
      const session = yield* admin
      const { adminUrl } = yield* TestDatabase
      const auditor = yield* grantReader(adminUrl, {
        tenantId: undefined,
        content: false,
        lifetime: Duration.days(1),
        note: "a test"
      })
      yield* session.rows(`set session authorization ${auditor.role}`)
      assert.deepInclude(
        yield* session.rows(
          `select pending::int, parked::int, parked_reasons from audit.tracking where tenant_id = '${actor.tenantId}'`
        ),
        { pending: 0, parked: 1, parked_reasons: ["400 INVALID_PARAMETER_VALUE"] }
      )
      yield* session.rows("reset session authorization; select tracking.unpark()")
      assert.deepInclude(yield* claimed(worker, place), { attempts: 0 })
    }).pipe(Effect.scoped)
  )

  it.effect("has no content from the moment its message is deleted, or where content is not asked for", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const [deleted, secret] = [yield* answered(actor), yield* answered(actor)]
      yield* opinion(actor, secret, 1, "my number is 555-0100")
      yield* opinion(actor, deleted, 1, "gone")
      const session = yield* admin
      const mark = `insert into app.deletions (tenant_id, id, kind, user_id)
        values ('${actor.tenantId}', '${deleted.messageId}', 'message', '${actor.userId}')`
      yield* session.rows(mark)
      for (const work of ["", "select work.purge(100)"]) {
        if (work !== "") yield* session.rows(work)
        yield* session.rows("update app.tracking_outbox set claimed_until = null, next_attempt_at = now()")
        assert.deepInclude(yield* claimed(randomUUID(), deleted), {
          message_id: null,
          content: null,
          response: null,
          feedback: [],
          prompt_length: 15
        })
      }
      const worker = randomUUID()
      const record = yield* claimed(worker, secret, false)
      assert.deepInclude(record, { content: null, response: null })
      assert.deepInclude(record?.feedback[0], { rating: 1, comment: null })
    }).pipe(Effect.scoped)
  )
})

layer(world)("a trace that the caller names", (it) => {
  it.effect("is the answer's, unless another answer has it already, of any tenant", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* newUser(), yield* newUser()]
      const traceparent = { traceId: randomUUID().replaceAll("-", ""), parentSpanId: "00f067aa0ba902b7" }
      const mine = yield* answered(first, { traceparent })
      const again = yield* answered(first, { traceparent })
      const theirs = yield* answered(second, { traceparent })
      const own = yield* answered(first)
      const forged = yield* answered(second, { traceparent: { ...traceparent, traceId: own.traceId } })
      const records = (yield* Effect.forEach([1, 2, 3], () => claim(randomUUID(), 2), { concurrency: 3 })).flat()
      const traces = new Map(records.map((record) => [record.generation_id, record]))
      const named = [mine, again, theirs].map(({ generationId }) => traces.get(generationId)?.trace_id)
      assert.strictEqual(named.filter((trace) => trace === traceparent.traceId).length, 1)
      assert.strictEqual(new Set(named).size, 3)
      assert.strictEqual(traces.get(own.generationId)?.trace_id, own.traceId)
      assert.deepInclude(traces.get(forged.generationId), {
        caller_trace_id: own.traceId,
        caller_span_id: "00f067aa0ba902b7"
      })
      assert.notStrictEqual(traces.get(forged.generationId)?.trace_id, own.traceId)

      // The decision stays, whichever process sends it.
      const session = yield* admin
      yield* session.rows("update app.tracking_outbox set claimed_until = now() - interval '1 second'")
      const later = yield* claim(randomUUID())
      for (const record of later) assert.strictEqual(record.trace_id, traces.get(record.generation_id)?.trace_id)
    }).pipe(Effect.scoped)
  )
})

layer(world)("an opinion", (it) => {
  it.effect("given after the answer was sent is sent too, and so is each change of it", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const place = yield* answered(actor)
      const worker = randomUUID()
      const first = yield* claimed(worker, place)
      if (first === undefined) return assert.fail("not claimed")
      assert.deepStrictEqual(first.feedback, [])
      yield* settle(worker, [settled(first)])
      yield* opinion(actor, place, -1, "no")
      const second = yield* claimed(worker, place)
      if (second === undefined) return assert.fail("not claimed")
      assert.deepInclude(second, { run_done: true, trace_sent: true })
      assert.deepInclude(second.feedback[0], { user_id: actor.userId, rating: -1, comment: "no", revision: 1 })

      // The user changes it while it is being sent: it is not done.
      yield* opinion(actor, place, 1, "yes")
      yield* settle(worker, [settled(second, { feedback: [{ user_id: actor.userId, revision: 1 }] })])
      const third = yield* claimed(worker, place)
      if (third === undefined) return assert.fail("not claimed")
      assert.deepInclude(third.feedback[0], { rating: 1, comment: "yes", revision: 2 })
      yield* settle(worker, [settled(third, { feedback: [{ user_id: actor.userId, revision: 2 }] })])
      assert.isUndefined(yield* claimed(worker, place))
    })
  )

  it.effect("given before the answer ended is sent with it", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const place = yield* asked(actor)
      yield* opinion(actor, place, 0.5)
      assert.isUndefined(yield* claimed(randomUUID(), place))
      yield* ended(actor, place)
      const record = yield* claimed(randomUUID(), place)
      assert.deepInclude(record, { run_done: false, trace_sent: false })
      assert.deepInclude(record?.feedback[0], { rating: 0.5 })
    })
  )

  it.effect("is about a visible answer, and cannot be given in another user's name", () =>
    Effect.gen(function* () {
      const owner = yield* newUser()
      const colleague = yield* newUser(owner.tenantId)
      const place = yield* answered(owner)
      const session = yield* Effect.flatMap(TestDatabase, ({ apiUrl }) => open(apiUrl))
      const give = (actor: Actor["Service"], inTheNameOf: Actor["Service"]) =>
        Effect.gen(function* () {
          yield* session.rows("begin")
          yield* session.rows("select app.enter($1, $2, 0, 'user')", [actor.tenantId, actor.userId])
          const state = yield* stateOf(
            session.rows(
              "insert into app.feedback (tenant_id, message_id, user_id, rating) values (app.tenant_id(), $1, $2, 1)",
              [place.messageId, inTheNameOf.userId]
            )
          )
          yield* session.rows("rollback")
          return state
        })
      assert.strictEqual(yield* give(owner, owner), "fine")
      assert.strictEqual(yield* give(colleague, colleague), "42501")
      assert.strictEqual(yield* give(owner, colleague), "42501")
    }).pipe(Effect.scoped)
  )
})

layer(world)("the login that serves requests", (it) => {
  it.effect("cannot claim, and the jobs' login can do nothing else", () =>
    Effect.gen(function* () {
      const { apiUrl, jobsUrl } = yield* TestDatabase
      const [api, jobs] = [yield* open(apiUrl), yield* open(jobsUrl)]
      for (const call of [
        `select tracking.claim('${randomUUID()}', 1, 1, true)`,
        "select tracking.lag()",
        "select tracking.forget(1)",
        `select tracking.settle('${randomUUID()}', '[]')`
      ]) {
        assert.strictEqual(yield* stateOf(api.rows(call)), "42501", call)
        assert.strictEqual(yield* stateOf(jobs.rows(call)), "fine", call)
      }
      for (const forbidden of [
        "select from app.messages",
        "select from app.tracking_outbox",
        "set role llm_tenant",
        "set role llm_tracking",
        `select work.sweep(1)`
      ]) {
        assert.strictEqual(yield* stateOf(jobs.rows(forbidden)), "42501", forbidden)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("discards on demand records that will not be sent", () =>
    Effect.gen(function* () {
      const { forget, lag } = yield* TrackingOutbox
      const actor = yield* newUser()
      yield* Effect.forEach([1, 2, 3], () => answered(actor))
      const { pending } = yield* lag
      assert.isAtLeast(pending, 3)
      assert.strictEqual(yield* forget(2), 2)
      assert.strictEqual((yield* lag).pending, pending - 2)
    })
  )
})
