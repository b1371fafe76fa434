import { assert, describe, it, layer } from "@effect/vitest"
import { execute } from "@llm-saas/database/backup/Databases"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { answered, type Place, newUser } from "@llm-saas/testing/GenerationFixture"
import { find, MlflowServer, python } from "@llm-saas/testing/MlflowServer"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { experimentNamed, experimentOf, runsOf, traceOf, tracesOf } from "./MlflowApi.ts"
import { drained, tracking, trackingFiles, waiting, world } from "./Projection.ts"

// Against a real MLflow: the sent data is read back through MLflow's own API.

const found = await Effect.runPromise(find)
const missing = "missing" in found ? found.missing : undefined

describe("the real MLflow", () => {
  it("is installed, or the reason for skipping is shown", () => {
    if (missing !== undefined) console.warn(`SKIPPED: all that tries a real MLflow server, because there is ${missing}`)
    assert.isTrue(missing === undefined || !process.env["CI"], `CI must try the real MLflow, and there is ${missing}`)
  })
})

/** A server on a small machine. */
const SLOW = 120_000

const sent = (options: Parameters<typeof tracking>[1] = {}) =>
  MlflowServer.use(({ url }) => Effect.scoped(Effect.andThen(Layer.build(tracking(url, options)), drained)))

const inRoom = <A, E>(actor: Actor["Service"], work: Effect.Effect<A, E, TenantSql>) =>
  Effect.flatMap(Tenancy, (tenancy) => tenancy.transaction(work)).pipe(
    Effect.provideService(Actor, actor),
    Effect.orDie
  )

const converse = Effect.fnUntraced(function* (actor: Actor["Service"]) {
  const id = ConversationId.make(randomUUID())
  yield* inRoom(
    actor,
    TenantSql.use(
      (sql) =>
        sql`insert into app.conversations (tenant_id, id, user_id) values (app.tenant_id(), ${id}, app.user_id())`
    )
  )
  return id
})

const opine = (actor: Actor["Service"], { messageId }: Place, rating: number, comment: string | null) =>
  inRoom(
    actor,
    TenantSql.use(
      (sql) => sql`insert into app.feedback (tenant_id, message_id, user_id, rating, comment)
        values (app.tenant_id(), ${messageId}, app.user_id(), ${rating}::float8, ${comment})
        on conflict (tenant_id, message_id, user_id) do update set rating = excluded.rating, comment = excluded.comment`
    )
  )

/** As if there had been no answers when they arrived. */
const again = ({ tenantId }: Actor["Service"]) =>
  Effect.flatMap(TestDatabase, ({ adminUrl }) =>
    Effect.orDie(
      execute(
        adminUrl,
        `insert into app.tracking_outbox (tenant_id, generation_id) select tenant_id, id from app.generations where tenant_id = '${tenantId}'`
      )
    )
  )

const Real = MlflowServer.layer("python" in found ? found.python : "").pipe(Layer.provideMerge(world))

/** On the machine's clock: the server is another process. */
const suite = layer(Real, { timeout: "4 minutes", excludeTestServices: true })

describe.skipIf(missing !== undefined)("with a real server", () => {
  suite("an inference", (it) => {
    it.effect(
      "is a run with all documented values and a trace, each with a link to the other",
      () =>
        Effect.gen(function* () {
          const actor = yield* newUser()
          const conversation = yield* converse(actor)
          const arrivedAt = Date.now() - 600
          const place = yield* answered(actor, {
            arrivedAt,
            conversation,
            content: "What is a room?",
            response: "Four walls and a door.",
            response_model: "mock-1-2026",
            source: "messages.stream",
            tokens_in: 5,
            tokens_out: 6,
            cost_usd: 0.000012
          })
          yield* opine(actor, place, -1, "not a word about the roof")
          yield* sent()

          const experiment = yield* experimentOf(actor)
          const [run, ...more] = yield* runsOf(experiment)
          assert.deepStrictEqual(more, [])
          if (run === undefined) return assert.fail("no run")
          const traceId = `tr-${place.traceId}`
          assert.deepStrictEqual(run.params, {
            model_name: "mock-1-2026",
            prompt_length: "15",
            tenant_id: actor.tenantId,
            user_id: actor.userId,
            environment: "test"
          })
          assert.deepStrictEqual(run.metrics, {
            latency_ms: 505,
            response_length: 22,
            approx_tokens_in: 4,
            approx_tokens_out: 6,
            ttft_ms: 105,
            tokens_in: 5,
            tokens_out: 6,
            cost_usd: 0.000012
          })
          assert.deepStrictEqual(run.tags, {
            tenant_id: actor.tenantId,
            source: "messages.stream",
            generation_id: place.generationId,
            trace_id: traceId,
            "mlflow.user": actor.userId,
            "mlflow.source.name": "llm-saas",
            "mlflow.runName": `messages.stream ${place.generationId.slice(-12)}`
          })
          assert.strictEqual(run.status, "FINISHED")
          assert.strictEqual(run.start_time, arrivedAt)

          const trace = yield* traceOf(traceId)
          assert.deepInclude(trace, {
            state: "OK",
            request_preview: "What is a room?",
            response_preview: "Four walls and a door."
          })
          assert.deepInclude(trace.tags, {
            tenant_id: actor.tenantId,
            source: "messages.stream",
            generation_id: place.generationId,
            run_id: run.run_id,
            "mlflow.traceName": "messages.stream"
          })
          assert.strictEqual(trace.trace_metadata["mlflow.trace.session"], conversation)
          assert.strictEqual(trace.trace_metadata["mlflow.trace.user"], actor.userId)
          assert.deepStrictEqual(JSON.parse(trace.trace_metadata["mlflow.trace.tokenUsage"] ?? ""), {
            input_tokens: 5,
            output_tokens: 6,
            total_tokens: 11
          })
          assert.strictEqual(JSON.parse(trace.trace_metadata["mlflow.trace.cost"] ?? "").total_cost, 0.000012)

          const root = trace.spans.find(({ name }) => name === "messages.stream")
          assert.deepStrictEqual(
            trace.spans.map(({ attributes, name, parent_span_id }) => [
              name,
              attributes["mlflow.spanType"],
              parent_span_id === undefined ? "root" : parent_span_id === root?.span_id
            ]),
            [
              ["messages.stream", "CHAIN", "root"],
              ["admission", "TASK", true],
              ["persistence (question)", "TASK", true],
              ["chat mock-1", "CHAT_MODEL", true],
              ["persistence (answer)", "TASK", true]
            ]
          )
          const model = trace.spans[3]
          assert.deepInclude(model?.attributes, {
            "mlflow.llm.model": "mock-1-2026",
            "mlflow.llm.provider": "mock",
            "mlflow.spanInputs": { messages: [{ role: "user", content: "What is a room?" }] }
          })
          assert.deepStrictEqual(
            // Rounded: a number cannot hold today's time in nanoseconds.
            model?.events?.map(({ name, time_unix_nano }) => [name, Math.round(time_unix_nano / 1e6)]),
            [["first token", arrivedAt + 105]]
          )

          // In MLflow's own page of the run, too.
          const linked = yield* tracesOf(experiment, `attributes.run_id = '${run.run_id}'`)
          assert.deepStrictEqual(
            linked.map(({ trace_id }) => trace_id),
            [traceId]
          )

          assert.deepInclude(trace.assessments?.[0], {
            assessment_name: "user_rating",
            source: { source_type: "HUMAN", source_id: actor.userId },
            feedback: { value: -1 },
            rationale: "not a word about the roof"
          })
          yield* opine(actor, place, 1, null)
          yield* sent()
          const changed = (yield* traceOf(traceId)).assessments
          assert.strictEqual(changed?.length, 1)
          assert.deepInclude(changed?.[0], { feedback: { value: 1 } })
          assert.strictEqual(changed?.[0]?.rationale ?? "", "")
          assert.strictEqual((yield* runsOf(experiment)).length, 1)
        }),
      SLOW
    )

    it.effect(
      "without a whole answer is sent as it was, and one whose message was deleted without its text",
      () =>
        Effect.gen(function* () {
          const actor = yield* newUser()
          const arrivedAt = Date.now() - 600
          const failed = yield* answered(actor, {
            arrivedAt,
            status: "failed",
            failure: "model_timeout",
            response: "Four w",
            source: "rpc"
          })
          const cancelled = yield* answered(actor, {
            arrivedAt,
            status: "cancelled",
            response: "",
            first_token_at: null
          })
          const deleted = yield* answered(actor, { arrivedAt })
          yield* inRoom(
            actor,
            TenantSql.use(
              (sql) => sql`insert into app.deletions (tenant_id, id, kind, user_id)
                values (app.tenant_id(), ${deleted.messageId}, 'message', app.user_id())`
            )
          )
          yield* sent()

          const runs = yield* runsOf(yield* experimentOf(actor))
          const run = ({ generationId }: Place) => runs.find(({ tags }) => tags["generation_id"] === generationId)
          assert.strictEqual(run(failed)?.status, "FAILED")
          assert.strictEqual(run(failed)?.tags["mlflow.note.content"], "failed: model_timeout")
          assert.strictEqual(run(cancelled)?.status, "KILLED")
          assert.notProperty(run(cancelled)?.metrics, "ttft_ms")
          assert.strictEqual(run(deleted)?.metrics["response_length"], 22)
          assert.deepInclude(yield* traceOf(`tr-${failed.traceId}`), { state: "ERROR", response_preview: "Four w" })
          const gone = yield* traceOf(`tr-${deleted.traceId}`)
          assert.notInclude(JSON.stringify(gone), "room")
          assert.notInclude(JSON.stringify(gone), "walls")
        }),
      SLOW
    )

    it.effect(
      "has the content that the policy allows",
      () =>
        Effect.gen(function* () {
          const actor = yield* newUser()
          const said = {
            arrivedAt: Date.now() - 600,
            content: "Write to ada@example.com",
            response: "Call 030 1234 5678."
          }
          const redacted = yield* answered(actor, said)
          yield* sent({ content: "redacted" })
          const off = yield* answered(actor, said)
          yield* opine(actor, off, 1, "a comment")
          yield* sent({ content: "off" })
          assert.deepInclude(yield* traceOf(`tr-${redacted.traceId}`), {
            request_preview: "Write to [email]",
            response_preview: "Call [number]."
          })
          const silent = yield* traceOf(`tr-${off.traceId}`)
          assert.notMatch(JSON.stringify(silent), /Write|Call|comment/u)
          assert.deepInclude(silent.assessments?.[0], { feedback: { value: 1 } })
        }),
      SLOW
    )

    it.effect(
      "of a trace that its caller named is that trace, and no other tenant's",
      () =>
        Effect.gen(function* () {
          const [first, second] = [yield* newUser(), yield* newUser()]
          const traceparent = { traceId: randomUUID().replaceAll("-", ""), parentSpanId: "00f067aa0ba902b7" }
          const mine = yield* answered(first, { arrivedAt: Date.now() - 600, traceparent })
          yield* sent()
          const theirs = yield* answered(second, { arrivedAt: Date.now() - 600, traceparent })
          yield* sent()
          const trace = yield* traceOf(`tr-${traceparent.traceId}`)
          assert.deepInclude(trace.tags, {
            tenant_id: first.tenantId,
            generation_id: mine.generationId,
            traceparent: `00-${traceparent.traceId}-00f067aa0ba902b7-01`
          })
          assert.strictEqual(trace.spans.length, 5)
          const [other] = yield* tracesOf(yield* experimentOf(second))
          assert.deepInclude(other?.tags, {
            tenant_id: second.tenantId,
            generation_id: theirs.generationId,
            traceparent: `00-${traceparent.traceId}-00f067aa0ba902b7-01`
          })
          const [run] = yield* runsOf(yield* experimentOf(second))
          assert.strictEqual(run?.tags["trace_id"], other?.trace_id)
        }),
      SLOW
    )

    it.effect(
      "goes to one experiment for all tenants if so configured, and to a deleted one after restoring it",
      () =>
        Effect.gen(function* () {
          const { ask, url } = yield* MlflowServer
          const [first, second] = [yield* newUser(), yield* newUser()]
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* Layer.build(tracking(url, { isolation: "shared", experiment: "everything" }))
              yield* answered(first, { arrivedAt: Date.now() - 600 })
              yield* drained
              const experiment = yield* experimentNamed("everything")
              // While the program has its id in the cache.
              yield* ask("POST", "/api/2.0/mlflow/experiments/delete", { experiment_id: experiment })
              yield* answered(second, { arrivedAt: Date.now() - 600 })
              yield* drained
              for (const { tenantId } of [first, second]) {
                assert.strictEqual((yield* runsOf(experiment, `tags.tenant_id = '${tenantId}'`)).length, 1)
                assert.strictEqual((yield* tracesOf(experiment, `tags.tenant_id = '${tenantId}'`)).length, 1)
              }
            })
          )
        }),
      SLOW
    )

    it.effect(
      "is a run in files that MLflow reads, if so configured, however often it is written",
      () =>
        Effect.gen(function* () {
          const actor = yield* newUser()
          const place = yield* answered(actor, {
            arrivedAt: Date.now() - 600,
            tokens_in: 5,
            tokens_out: 6,
            cost_usd: 0.25
          })
          yield* answered(actor, {
            arrivedAt: Date.now() - 600,
            status: "failed",
            failure: "model_error",
            response: ""
          })
          const directory = mkdtempSync(join(tmpdir(), "mlruns-"))
          yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
          const written = Effect.scoped(Effect.andThen(Layer.build(trackingFiles(directory)), drained))
          yield* written
          yield* again(actor)
          yield* written
          const text = yield* python(
            "python" in found ? found.python : "",
            `
import json, mlflow
client = mlflow.MlflowClient("file://${directory}")
[experiment] = [e for e in client.search_experiments() if e.name == "llm-inference/${actor.tenantId}"]
print(json.dumps([{"status": r.info.status, "params": r.data.params, "metrics": r.data.metrics, "tags": r.data.tags}
  for r in client.search_runs([experiment.experiment_id], order_by=["attributes.status DESC"])]))`,
            { MLFLOW_ALLOW_FILE_STORE: "true" }
          )
          const runs: ReadonlyArray<unknown> = JSON.parse(text.trim().split("\n").at(-1) ?? "")
          assert.strictEqual(runs.length, 2)
          assert.deepStrictEqual(runs[0], {
            status: "FINISHED",
            params: {
              model_name: "mock-1",
              prompt_length: "15",
              tenant_id: actor.tenantId,
              user_id: actor.userId,
              environment: "test"
            },
            metrics: {
              latency_ms: 505,
              response_length: 22,
              approx_tokens_in: 4,
              approx_tokens_out: 6,
              ttft_ms: 105,
              tokens_in: 5,
              tokens_out: 6,
              cost_usd: 0.25
            },
            tags: {
              tenant_id: actor.tenantId,
              source: "messages",
              generation_id: place.generationId,
              trace_id: `tr-${place.traceId}`,
              "mlflow.user": actor.userId,
              "mlflow.source.name": "llm-saas",
              "mlflow.runName": `messages ${place.generationId.slice(-12)}`
            }
          })
          assert.strictEqual(Object(runs[1])["status"], "FAILED")
        }).pipe(Effect.scoped),
      SLOW
    )

    it.effect(
      "is there once, although MLflow was killed in the middle of 500 and started again",
      () =>
        Effect.gen(function* () {
          const server = yield* MlflowServer
          const actor = yield* newUser()
          const COUNT = 500
          const places = yield* Effect.forEach(
            Array.from({ length: COUNT }),
            (_, n) => answered(actor, { arrivedAt: Date.now() - 600, content: `Question ${n}` }),
            { concurrency: 8 }
          )
          const startedAt = Date.now()
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* Layer.build(tracking(server.url))
              yield* waiting((pending) => pending < COUNT / 2)
              yield* server.kill
              yield* server.start
              yield* drained
            })
          )
          console.log(`${COUNT} inferences in ${Date.now() - startedAt} ms, with a crash of MLflow among them`)
          const experiment = yield* experimentOf(actor)
          const expected = places.map(({ generationId }) => generationId).toSorted()
          const runs = yield* runsOf(experiment)
          assert.deepStrictEqual(runs.map(({ tags }) => String(tags["generation_id"])).toSorted(), expected)
          assert.deepStrictEqual(
            runs.filter(
              ({ metrics, params, status }) =>
                status !== "FINISHED" || Object.keys(params).length !== 5 || metrics["latency_ms"] !== 505
            ),
            []
          )
          const traces = yield* tracesOf(experiment)
          assert.deepStrictEqual(traces.map(({ tags }) => String(tags["generation_id"])).toSorted(), expected)
          assert.deepStrictEqual(
            traces.filter(
              ({ state, trace_metadata }) =>
                state !== "OK" || JSON.parse(trace_metadata["mlflow.trace.tokenUsage"] ?? "{}").input_tokens !== 3
            ),
            []
          )
        }),
      400_000
    )
  })
})
