import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawnSync } from "node:child_process"
import { supervise, type WorkerProcess } from "../src/process/Workers.ts"
import { open, parse, read } from "./http/Serving.ts"
import { Running } from "./Running.ts"

const CLEAN = { code: 0, signal: null }

interface Scripted {
  readonly born: number
  readonly serve: Effect.Effect<void>
  readonly die: (reason: string) => Effect.Effect<void>
}

/** Workers that serve and die when the test says so. */
const scripted = Effect.sync(() => {
  const workers: Array<Scripted> = []
  const alive = new Set<number>()
  const start: Effect.Effect<WorkerProcess, never, Scope.Scope> = Effect.gen(function* () {
    const listening = yield* Deferred.make<number>()
    const ended = yield* Deferred.make<string>()
    const pid = workers.length
    workers.push({
      born: yield* Clock.currentTimeMillis,
      serve: Effect.asVoid(Deferred.succeed(listening, 8000)),
      die: (reason) => Effect.asVoid(Deferred.succeed(ended, reason))
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => alive.add(pid)),
      () => Effect.sync(() => alive.delete(pid))
    )
    return { pid, listening: Deferred.await(listening), ended: Deferred.await(ended) }
  })
  const worker = (n: number) =>
    workers[n] === undefined ? Effect.die(new Error(`worker ${n} was not started`)) : Effect.succeed(workers[n])
  return {
    alive,
    births: () => workers.map(({ born }) => born),
    start,
    serve: (n: number) => Effect.flatMap(worker(n), ({ serve }) => serve),
    die: (n: number, reason: string) => Effect.flatMap(worker(n), ({ die }) => die(reason))
  }
})

describe("several workers", () => {
  it.effect("start when the first one serves, and end with the scope", () =>
    Effect.gen(function* () {
      const { alive, births, serve, start } = yield* scripted
      const scope = yield* Scope.make()
      const port = yield* Effect.forkChild(Scope.provide(supervise(3, start), scope))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(births(), [0])
      yield* serve(0)
      assert.strictEqual(yield* Fiber.join(port), 8000)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(births(), [0, 1000, 1000])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(alive.size, 0)
    })
  )

  it.effect("do not start at all when the first one ends before it serves", () =>
    Effect.gen(function* () {
      const { alive, births, die, start } = yield* scripted
      const port = yield* Effect.forkChild(Effect.flip(supervise(3, start)))
      yield* TestClock.adjust(0)
      yield* die(0, "code 1")
      assert.strictEqual((yield* Fiber.join(port)).message, "the first worker ended (code 1) before it served")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([births().length, alive.size], [1, 0])
    })
  )

  it.effect("are replaced when they die, ever more slowly, and at once again after a minute of life", () =>
    Effect.gen(function* () {
      const { alive, births, die, serve, start } = yield* scripted
      const port = yield* Effect.forkChild(supervise(2, start))
      yield* TestClock.adjust(0)
      yield* serve(0)
      yield* Fiber.join(port)
      yield* TestClock.adjust(0)
      const waits: Array<number> = []
      for (let n = 1; n <= 9; n++) {
        // The second's place: it dies as soon as it is there, even before it serves.
        yield* die(n, "SIGKILL")
        const died = yield* Clock.currentTimeMillis
        yield* TestClock.adjust("29999 millis")
        if (births().length === n + 1) yield* TestClock.adjust(1)
        waits.push((births()[n + 1] ?? Number.NaN) - died)
      }
      assert.deepStrictEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
      assert.deepStrictEqual([...alive].toSorted(), [0, 10])
      yield* TestClock.adjust("1 minute")
      yield* die(10, "code 0")
      yield* TestClock.adjust(250)
      assert.deepStrictEqual([...alive].toSorted(), [0, 11])
    })
  )
})

/** A process that has ended and waits for its adopter to notice is not alive. */
const isAlive = (pid: number) =>
  /^[^Z\s]/u.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout)

const kill = (signal: string, ...pids: ReadonlyArray<number>) =>
  Effect.sync(() => void spawnSync("kill", [`-${signal}`, ...pids.map(String)]))

/** The workers that have served so far; waits for `count` of them. */
const served = (count: number) =>
  Effect.gen(function* () {
    const { process } = yield* Running
    yield* process.says(new RegExp(`(?:worker \\d+ serves[\\s\\S]*){${count}}`, "u"))
    return [...process.output().stdout.matchAll(/worker (\d+) serves/gu)].map(([, pid]) => Number(pid))
  })

layer(Running.with({ WORKERS: "2" }), { timeout: "120 seconds" })("two workers", (it) => {
  it.effect(
    "share a port; one that is killed takes no request of the other with it, and is replaced; all stop together",
    () =>
      Effect.gen(function* () {
        const { port, process, send } = yield* Running
        const pids = yield* served(2)
        const output = () => process.output().stdout
        assert.strictEqual(output().match(/is running on/gu)?.length, 1)

        // Half a request on each: connections go round.
        const body = JSON.stringify({ name: "In flight" })
        const held = yield* Effect.replicateEffect(open(port), 2)
        const answers = yield* Effect.forEach(held, (socket) => Effect.forkChild(read(socket)))
        for (const socket of held) {
          socket.write(
            `POST /create-tenant HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`
          )
          yield* read(socket, (text) => text.includes("100 Continue"))
        }
        yield* kill("KILL", pids[0] ?? 0)
        yield* process.says(new RegExp(`worker ${pids[0]} ended \\(SIGKILL\\)`, "u"))
        for (let n = 0; n < 8; n++) assert.strictEqual((yield* send("GET", "/ready")).status, 200)
        for (const socket of held) if (!socket.destroyed) socket.write(body)
        const texts = yield* Effect.forEach(answers, (answer) => Fiber.join(answer))
        const statuses = texts.map((text) => parse(text.replace("HTTP/1.1 100 Continue\r\n\r\n", "")).status)
        assert.include(statuses, 201)

        const three = yield* served(3)
        assert.strictEqual(new Set(three).size, 3)
        // As in a terminal: Ctrl-C reaches every process.
        yield* kill("INT", process.child.pid ?? 0, ...three.slice(1))
        assert.deepStrictEqual(yield* process.ended, CLEAN)
        assert.deepStrictEqual(three.filter(isAlive), [])
        assert.strictEqual(process.output().stderr, "")
      }),
    120_000
  )
})

layer(Running.with({ WORKERS: "2" }), { timeout: "120 seconds" })("the process that started them", (it) => {
  it.effect("leaves no worker behind when it is killed", () =>
    Effect.gen(function* () {
      const { process } = yield* Running
      const pids = yield* served(2)
      yield* kill("KILL", process.child.pid ?? 0)
      // The pipe they all write to is closed when the last of them is gone.
      yield* process.ended
      assert.deepStrictEqual(pids.filter(isAlive), [])
    })
  )
})
