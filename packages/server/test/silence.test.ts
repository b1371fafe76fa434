import { assert, layer } from "@effect/vitest"
import { type SilentProxy, silentProxy } from "@llm-saas/testing/SilentProxy"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, running } from "./Running.ts"

/** The proxy to the database of the program under test. */
class Way extends Context.Service<Way, SilentProxy>()("test/Way") {}

/** A program that reaches its database through a proxy that can fall silent. */
const OverTheWay = (variables: Record<string, string> = {}) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase
      const url = new URL(Redacted.value(apiUrl))
      const way = yield* silentProxy(Number(url.port))
      url.hostname = "127.0.0.1"
      url.port = String(way.port)
      const program = yield* running({ DATABASE_URL: url.href, MOCK_TTFT_MS: "0", ...variables })
      return Context.make(Way, way).pipe(Context.add(Running, program))
    })
  ).pipe(Layer.provideMerge(TestDatabase.layer))

/** Requests of every kind. */
const questions = ({ send }: Running["Service"], { tenant, token }: Person): Record<string, Effect.Effect<Answer>> => ({
  me: send("GET", "/me", { token }),
  list: send("GET", "/messages", { token }),
  conversations: send("GET", "/conversations", { token }),
  made: send("POST", "/conversations", { token, json: { title: "Later" } }),
  asked: send("POST", "/messages", { token, json: { content: "Now?" } }),
  streamed: send("POST", "/messages/stream", { token, json: { content: "Now?" } }),
  users: send("GET", `/tenants/${tenant}/users`, { token }),
  report: send("GET", `/tenants/${tenant}/isolation-report`, { token }),
  tenant: send("POST", "/create-tenant", { json: { name: "Later" } }),
  login: send("POST", "/login", { json: { username: "person@acme.test", password: "password123", tenant_id: tenant } })
})

const pause = (milliseconds: number) =>
  Effect.promise(() => new Promise((resolve) => setTimeout(resolve, milliseconds)))

const PAUSE_MS = 100

/**
 * Milliseconds that work took, without those in which the machine was busy with something else: by which pauses, each with a request
 * that needs no database, were longer than they should be.
 */
const timed = <A>(work: Effect.Effect<A>) =>
  Effect.gen(function* () {
    const { send } = yield* Running
    const began = performance.now()
    let pauses = 0
    const pausing = Effect.andThen(pause(PAUSE_MS), send("GET", "/health")).pipe(
      Effect.andThen(Effect.sync(() => void pauses++)),
      Effect.forever
    )
    const counting = yield* Effect.forkChild(pausing, { startImmediately: true })
    const value = yield* work
    const elapsed = performance.now() - began
    yield* Fiber.interrupt(counting)
    return { value, took: Math.min(elapsed, (pauses + 1) * PAUSE_MS) }
  })

/** Lines of the log that say something of the database's outage. */
const outages = ({ process }: Running["Service"]) => {
  const { stderr, stdout } = process.output()
  return `${stdout}${stderr}`.split("\n").filter((line) => /PostgreSQL is (?:not )?available/u.test(line))
}

/** Waits until the log says that there is no outage, and answers its lines. Before that a second passes without a failure. */
const recovered = Effect.fnUntraced(function* (program: Running["Service"]) {
  const began = performance.now()
  for (;;) {
    yield* program.send("GET", "/ready")
    const lines = outages(program)
    if (lines.length % 2 === 0) return lines
    assert.isBelow(performance.now() - began, 60_000, lines.join("\n"))
    yield* pause(100)
  }
})

layer(OverTheWay(), { timeout: "120 seconds", excludeTestServices: true })("with PostgreSQL frozen", (it) => {
  it.effect(
    "every request is told to come back within 15 seconds, /ready within 6; the log says why, once; and all is well when it is back",
    () =>
      Effect.gen(function* () {
        const way = yield* Way
        const program = yield* Running
        const person = yield* signUp(program.send)
        const asked = questions(program, person)
        const said = (yield* recovered(program)).length
        const before = yield* Effect.forEach(Object.values(asked), (one) => one, { concurrency: "unbounded" })
        for (const { status } of before) assert.oneOf(status, [200, 201, 401])

        way.freeze()
        const [during, asking] = yield* Effect.all(
          [
            Effect.forEach(
              // More than there are connections: some wait for one, and some were given one.
              Array.from({ length: 3 }, () => Object.entries(asked)).flat(),
              ([name, one]) => Effect.map(timed(one), (answer) => ({ name, ...answer })),
              { concurrency: "unbounded" }
            ),
            timed(program.send("GET", "/ready"))
          ],
          { concurrency: "unbounded" }
        )
        for (const { name, took, value } of during) {
          // A stream that has begun says it in an event.
          const failed = name === "streamed" && value.status === 200
          if (!failed) assert.deepStrictEqual([name, value.status, value.body["code"]], [name, 503, "unavailable"])
          if (!failed) assert.match(value.headers.get("retry-after") ?? "", /^\d+$/u)
          assert.isBelow(took, 15_000, name)
        }
        assert.strictEqual(asking.value.status, 503)
        assert.isBelow(asking.took, 6000)
        assert.strictEqual((yield* program.send("GET", "/health")).status, 200)
        // Requests may be refused before the pool knows that the server is gone: it asks for five seconds.
        yield* Effect.repeat(pause(50), { until: () => outages(program).length > said })
        const [away, ...others] = outages(program).slice(said)
        assert.deepStrictEqual(others, [])
        assert.match(away ?? "", /PostgreSQL is not available: (?:no answer within \d+ s|Connection timed out)/u)

        way.thaw()
        const ready = Effect.map(program.send("GET", "/ready"), ({ status }) => status === 200)
        assert.isBelow((yield* timed(Effect.repeat(ready, { until: (is) => is }))).took, 5000)
        const [, back] = (yield* recovered(program)).slice(said)
        assert.match(back ?? "", /PostgreSQL is available again, after [\d.]+ s and \d+ failures/u)
        const after = yield* Effect.forEach(Object.values(asked), (one) => one, { concurrency: "unbounded" })
        for (const { status } of after) assert.oneOf(status, [200, 201, 401])
      }),
    120_000
  )

  it.effect(
    "a client that waits for an answer generated meanwhile is told to retry, and finds it then",
    () =>
      Effect.gen(function* () {
        const way = yield* Way
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const list = Effect.map(
          send("GET", "/messages", { token }),
          ({ body }) => ((body["data"] ?? []) as ReadonlyArray<Record<string, unknown>>)[0]?.["status"]
        )
        // The answer takes five seconds.
        const content = 'What lasts? [[mock {"tokens": 50, "delay": 100}]]'
        const asking = yield* Effect.forkChild(timed(send("POST", "/messages", { token, json: { content } })), {
          startImmediately: true
        })
        yield* Effect.repeat(list, { until: (status) => status === "streaming" })
        way.freeze()
        const { took, value } = yield* Fiber.join(asking)
        assert.deepStrictEqual([value.status, value.body["code"]], [503, "unavailable"])
        assert.isBelow(took, 25_000)
        way.thaw()
        const stored = yield* timed(
          Effect.repeat(Effect.andThen(pause(100), list), { until: (status) => status === "completed" })
        )
        assert.isBelow(stored.took, 20_000)
      }),
    120_000
  )
})

layer(OverTheWay({ DATABASE_STATEMENT_SECONDS: "2", DATABASE_POOL_SIZE: "6" }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("connections that die without a word", (it) => {
  it.effect(
    "are given up with the first statement they do not answer, all of them, and no request waits for them again",
    () =>
      Effect.gen(function* () {
        const way = yield* Way
        const program = yield* Running
        const { token } = yield* signUp(program.send)
        const me = program.send("GET", "/messages", { token })
        // As many connections as there can be are open.
        yield* Effect.forEach(Array.from({ length: 30 }), () => me, { concurrency: "unbounded" })
        way.forget()
        const first = yield* timed(me)
        assert.strictEqual(first.value.status, 503)
        assert.isBelow(first.took, 4000)
        for (let times = 0; times < 10; times++) {
          const { took, value } = yield* timed(me)
          assert.strictEqual(value.status, 200)
          assert.isBelow(took, 1000)
        }
        // The shared ones too.
        yield* timed(program.send("GET", "/ready"))
        assert.strictEqual((yield* program.send("GET", "/ready")).status, 200)
      }),
    120_000
  )
})
