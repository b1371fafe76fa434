import { assert, layer } from "@effect/vitest"
import { TrackingOutbox } from "@llm-saas/database/TrackingOutbox"
import { execute } from "@llm-saas/database/backup/Databases"
import { answered, type Place, newUser } from "@llm-saas/testing/GenerationFixture"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Deferred, Effect, Layer, Logger, Schema } from "effect"
import { type Arrived, type FakeMlflow, make } from "./FakeMlflow.ts"
import { drained, tracking, waiting, world } from "./Projection.ts"

// Failures between us and MLflow, with a fake one. real-server.test.ts tests that MLflow is like this.

/** Lines of the log. */
const logged: Array<string> = []
const log = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])

const suite = layer(world, { excludeTestServices: true })

const answers = Effect.fnUntraced(function* (count: number) {
  const actor = yield* newUser()
  return yield* Effect.forEach(Array.from({ length: count }), () => answered(actor), { concurrency: 4 })
})

const sql = (text: string) => Effect.flatMap(TestDatabase, ({ adminUrl }) => Effect.orDie(execute(adminUrl, text)))

const Row = Schema.decodeUnknownSync(
  Schema.Struct({
    attempts: Schema.Int,
    unsure: Schema.Boolean,
    parked_reason: Schema.NullOr(Schema.String),
    run_id: Schema.NullOr(Schema.String)
  })
)
const rowOf = ({ generationId }: Place) =>
  Effect.map(
    sql(
      `select attempts, unsure, parked_reason, run_id from app.tracking_outbox where generation_id = '${generationId}'`
    ),
    ({ rows }) => rows.map((row) => Row(row))[0]
  )

const is = (path: string) => (request: Arrived) => request.path.startsWith(path)
const isCreate = is("/api/2.0/mlflow/runs/create")
const isBatch = is("/api/2.0/mlflow/runs/log-batch")
const isTrace = is("/v1/traces")

/** A mood for the first request of a kind. */
const first = (kind: (request: Arrived) => boolean, fate: ReturnType<FakeMlflow["mood"]>): FakeMlflow["mood"] => {
  let done = false
  return (request) => {
    if (done || !kind(request)) return undefined
    done = true
    return fate
  }
}

const run = (mlflow: FakeMlflow, options: Parameters<typeof tracking>[1] = {}) =>
  Effect.scoped(Effect.andThen(Layer.build(tracking(mlflow.url, options).pipe(Layer.provide(log))), drained))

const isOnce = (mlflow: FakeMlflow, places: ReadonlyArray<Place>, traces = true) => {
  for (const { generationId, traceId } of places) {
    assert.deepStrictEqual(
      mlflow.runs.get(generationId)?.map(({ logged: complete, status }) => [complete, status]),
      [[true, "FINISHED"]],
      generationId
    )
    assert.strictEqual(mlflow.traces.get(traceId), traces ? 1 : undefined)
  }
}

suite("a pending record", (it) => {
  it.effect("is not touched while MLflow is away, and arrives when it is back", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      yield* mlflow.stop
      const places = yield* answers(20)
      logged.length = 0
      const complained = yield* Deferred.make<void>()
      const hear = Logger.layer([
        Logger.make(({ message }) => {
          logged.push(String(message))
          Deferred.doneUnsafe(complained, Effect.void)
        })
      ])
      yield* Layer.build(tracking(mlflow.url).pipe(Layer.provide(hear)))
      yield* Deferred.await(complained)
      assert.deepStrictEqual(logged, [
        `no MLflow at ${mlflow.url} (ECONNREFUSED); records are kept meanwhile. To get one: \`pip install mlflow\`, \`mlflow ui --port 5001\``
      ])
      for (const place of places) assert.deepInclude(yield* rowOf(place), { attempts: 0, unsure: false })
      yield* mlflow.start
      yield* drained
      isOnce(mlflow, places)
      // No record was unsure, so none was searched for.
      assert.isFalse(mlflow.requests.some(is("/api/2.0/mlflow/runs/search")))
      assert.match(logged[1] ?? "", /gets every inference/u)
      // The end of an outage is logged after a second without failures.
      for (const line of logged.slice(2)) assert.match(line, /^MLflow is available again, after /u)
      assert.isAtMost(logged.length, 3)
    }).pipe(Effect.scoped)
  )

  it.effect("is sent once by two processes together", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const places = yield* answers(80)
      yield* Effect.all([run(mlflow), run(mlflow)], { concurrency: 2 })
      isOnce(mlflow, places)
    }).pipe(Effect.scoped)
  )

  it.effect("is in memory only a few at a time", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      yield* answers(60)
      const begun = yield* Deferred.make<void>()
      mlflow.mood = (request) => {
        if (!isCreate(request)) return undefined
        if (mlflow.requests.filter(isCreate).length === 2) Deferred.doneUnsafe(begun, Effect.void)
        return "hang"
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(tracking(mlflow.url, { concurrency: 2 }).pipe(Layer.provide(log)))
          yield* Deferred.await(begun)
          const { rows } = yield* sql(
            "select count(*)::int4 as claimed from app.tracking_outbox where claimed_until > now()"
          )
          assert.deepStrictEqual(rows, [{ claimed: 8 }])
        })
      )
      mlflow.mood = () => undefined
      yield* run(mlflow)
    }).pipe(Effect.scoped)
  )
})

suite("a call without an answer", (it) => {
  for (const [name, kind, cut] of [
    ["a run that was made", isCreate, "done, then cut"],
    ["a run that was not made", isCreate, "cut"],
    ["a trace that arrived", isTrace, "done, then cut"],
    ["a trace that did not arrive", isTrace, "cut"],
    ["a run that came out of a queue too late", isCreate, "cut, then done"],
    ["what was logged", isBatch, "done, then cut"]
  ] as const) {
    it.effect(`is searched for first: ${name}`, () =>
      Effect.gen(function* () {
        const mlflow = yield* make
        const places = yield* answers(3)
        mlflow.mood = first(kind, cut)
        yield* run(mlflow)
        isOnce(mlflow, places)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("is searched for if the program ended in the middle of it", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const places = yield* answers(3)
      const begun = yield* Deferred.make<void>()
      // It is carried out, but there is no answer.
      const hidden: FakeMlflow["mood"] = (request) => {
        if (!isCreate(request)) return undefined
        Deferred.doneUnsafe(begun, Effect.void)
        return "done, then cut"
      }
      mlflow.mood = (request) => (isTrace(request) ? "hang" : hidden(request))
      yield* Effect.scoped(
        Effect.andThen(Layer.build(tracking(mlflow.url).pipe(Layer.provide(log))), Deferred.await(begun))
      )
      for (const place of places) assert.deepInclude(yield* rowOf(place), { attempts: 0 })
      mlflow.mood = () => undefined
      yield* run(mlflow)
      isOnce(mlflow, places)
    }).pipe(Effect.scoped)
  )

  it.effect("continues from where it was", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const [place, ...others] = yield* answers(4)
      if (place === undefined) return assert.fail("none")
      mlflow.mood = first(isTrace, { status: 500, body: "oops" })
      yield* run(mlflow)
      isOnce(mlflow, [place, ...others])
      assert.strictEqual(mlflow.requests.filter(isCreate).length, 4)
    }).pipe(Effect.scoped)
  )
})

suite("a record that MLflow does not take", (it) => {
  it.effect("is put aside with the reason, and the others arrive", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const [poisoned, ...others] = yield* answers(6)
      if (poisoned === undefined) return assert.fail("none")
      const refusal = '{"error_code":"INVALID_PARAMETER_VALUE","message":"Session ID exceeds 250 characters"}'
      mlflow.mood = (request) =>
        isTrace(request) && request.text.includes(poisoned.traceId) ? { status: 400, body: refusal } : undefined
      yield* run(mlflow)
      isOnce(mlflow, others)
      // Its run is whole; MLflow refuses only the trace.
      assert.deepStrictEqual(
        mlflow.runs.get(poisoned.generationId)?.map(({ status }) => status),
        ["FINISHED"]
      )
      assert.deepInclude(yield* rowOf(poisoned), {
        parked_reason: "refused: 400 INVALID_PARAMETER_VALUE: Session ID exceeds 250 characters"
      })
      const { lag } = yield* TrackingOutbox
      assert.deepInclude(yield* lag, { pending: 0, parked: 1 })

      // After the cause was corrected it continues, with the same run.
      mlflow.mood = () => undefined
      yield* sql("select tracking.unpark()")
      yield* run(mlflow)
      isOnce(mlflow, [poisoned])
    }).pipe(Effect.scoped)
  )

  it.effect("is put aside after ten times if MLflow always fails at it", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const [poisoned, ...others] = yield* answers(6)
      if (poisoned === undefined) return assert.fail("none")
      yield* sql(`update app.tracking_outbox set attempts = 9 where generation_id = '${poisoned.generationId}'`)
      mlflow.mood = (request) =>
        isTrace(request) && request.text.includes(poisoned.traceId) ? { status: 500, body: "oops" } : undefined
      yield* run(mlflow)
      isOnce(mlflow, others)
      assert.deepInclude(yield* rowOf(poisoned), { attempts: 10, parked_reason: "busy: 500: oops" })
      yield* sql("delete from app.tracking_outbox")
    }).pipe(Effect.scoped)
  )

  it.effect("because of a conflict in its database is retried", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const places = yield* answers(2)
      mlflow.mood = first(isBatch, { status: 400, body: '{"error_code":"BAD_REQUEST","message":"database is locked"}' })
      yield* run(mlflow)
      isOnce(mlflow, places)
    }).pipe(Effect.scoped)
  )

  it.effect("because its run was deleted in the middle gets a new one", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const places = yield* answers(2)
      mlflow.mood = (request) => {
        if (isBatch(request) && mlflow.requests.filter(isBatch).length === 1) mlflow.runs.clear()
        return undefined
      }
      yield* run(mlflow)
      isOnce(mlflow, places)
    }).pipe(Effect.scoped)
  )
})

suite("an MLflow that accepts nothing", (it) => {
  const MOODS = {
    "its host check": { status: 403, body: "Invalid Host header - possible DNS rebinding attack detected" },
    "wrong credentials": { status: 401, body: "You are not authenticated" },
    "a full disk": { status: 500, body: '{"error_code":"INTERNAL_ERROR","message":"disk full"}' },
    "a gateway with nothing behind it": { status: 502, body: "<html>Bad Gateway</html>" },
    "something else at its port": { status: 200, body: "<html>Hello</html>" },
    "too many requests": { status: 429, body: "", headers: { "retry-after": "1" } }
  }
  for (const [name, fate] of Object.entries(MOODS)) {
    it.effect(`keeps all records pending, and loses none: ${name}`, () =>
      Effect.gen(function* () {
        const mlflow = yield* make
        const places = yield* answers(12)
        logged.length = 0
        let refusals = 0
        mlflow.mood = (request) => {
          if (request.path === "/version" || refusals >= 3) return undefined
          refusals++
          return fate
        }
        const startedAt = performance.now()
        yield* run(mlflow)
        isOnce(mlflow, places)
        if (fate.status === 429) assert.isAbove(performance.now() - startedAt, 1000)
        assert.deepInclude(yield* sqlCount, { parked: 0 })
        // Logged once, and once when it is over.
        assert.isAtMost(logged.filter((line) => line.includes("records are kept meanwhile")).length, 1)
      }).pipe(Effect.scoped)
    )
  }

  const sqlCount = Effect.flatMap(TrackingOutbox, ({ lag }) => lag)

  it.effect("has a hint in the log about its host check, and about credentials", () =>
    Effect.gen(function* () {
      for (const [name, advice] of [
        ["its host check", "--allowed-hosts"],
        ["wrong credentials", "MLFLOW_TRACKING_USERNAME"]
      ] as const) {
        const mlflow = yield* make
        yield* answers(1)
        logged.length = 0
        mlflow.mood = first(({ path }) => path !== "/version", MOODS[name])
        yield* run(mlflow)
        assert.isTrue(
          logged.some((line) => line.includes(advice)),
          logged.join("\n")
        )
      }
    }).pipe(Effect.scoped)
  )
})

suite("an older MLflow, or one on files", (it) => {
  for (const [name, set] of [
    ["3.13", (mlflow: FakeMlflow) => void (mlflow.version = "3.13.0")],
    [
      "501",
      (mlflow: FakeMlflow) =>
        void (mlflow.mood = (request) => (isTrace(request) ? { status: 501, body: "{}" } : undefined))
    ]
  ] as const) {
    it.effect(`gets runs, and one log line that it gets no traces: ${name}`, () =>
      Effect.gen(function* () {
        const mlflow = yield* make
        set(mlflow)
        const places = yield* answers(5)
        logged.length = 0
        yield* run(mlflow)
        isOnce(mlflow, places, false)
        assert.strictEqual(logged.filter((line) => line.includes("no traces")).length, 1)
      }).pipe(Effect.scoped)
    )
  }
})

suite("what is on the wire", (it) => {
  it.effect("has no content beyond the policy, and no header that names our own traces", () =>
    Effect.gen(function* () {
      const mlflow = yield* make
      const actor = yield* newUser()
      yield* answered(actor, { content: "the secret word", response: "the other word" })
      yield* run(mlflow, { content: "off" })
      assert.isNotEmpty(mlflow.requests)
      for (const { headers, text } of mlflow.requests) {
        assert.notMatch(text, /the secret word|the other word/u)
        assert.notProperty(headers, "traceparent")
        assert.notProperty(headers, "b3")
      }
      yield* waiting((pending) => pending === 0)
    }).pipe(Effect.scoped)
  )
})
