import { assert, describe, it } from "@effect/vitest"
import type { Attempt } from "@llm-saas/domain/Attempt"
import type { FailureReason, UpstreamRefusal } from "@llm-saas/domain/Generation"
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import type { Asking } from "@llm-saas/engine/generations/Llm"
import { Deferred, Effect, Fiber, Option, Random, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { Call, Provider, Target } from "../src/Provider.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"
import {
  type Configuration,
  FALLBACK_ON,
  type KeyPolicy,
  type ProviderSettings,
  type Route,
  type RouteTarget
} from "../src/routes/Configuration.ts"
import { orderOf } from "../src/routes/Route.ts"
import { make } from "../src/routes/Router.ts"

/** What one call of a target does: pieces, and then an end or a failure. */
interface Outcome {
  readonly pieces: number
  readonly failure?: Failing | undefined
}
interface Failing {
  readonly said?: UpstreamRefusal
  readonly reason: FailureReason
  readonly retryable?: boolean
  readonly status?: number | undefined
  readonly waitMs?: number | undefined
}

const target = (model: string): Target => ({
  model,
  maxOutputTokens: undefined,
  temperature: undefined,
  connectMs: 1000,
  firstTokenMs: 1000,
  silenceMs: 1000
})

const to = (provider: string, more: Partial<RouteTarget> = {}): RouteTarget => ({
  provider,
  target: target("m"),
  weight: 1,
  retries: 0,
  ...more
})

const route = (targets: ReadonlyArray<RouteTarget>, more: Partial<Route> = {}): Route => ({
  alias: "fast",
  kind: "chat",
  strategy: "fallback",
  targets,
  fallbackOn: FALLBACK_ON,
  answerMs: 600_000,
  contextWindow: undefined,
  maxOutputTokens: undefined,
  createdAt: undefined,
  ...more
})

const settings = (name: string, keyPolicy: KeyPolicy = "prefer_tenant"): ProviderSettings => ({
  name,
  type: "openai",
  origin: "file",
  baseUrl: undefined,
  apiVersion: undefined,
  headers: {},
  proxies: undefined,
  key: Redacted.make(`key of ${name}`),
  keyPolicy
})

const configuration = (models: ReadonlyArray<Route>, policies: Record<string, KeyPolicy> = {}): Configuration => ({
  providers: [...new Set(models.flatMap(({ targets }) => targets.map(({ provider }) => provider)))].map((name) =>
    settings(name, policies[name])
  ),
  models,
  defaultModel: models[0]?.alias ?? ""
})

/** Providers that do as they are told, call by call; the last outcome is repeated. */
const scripted = (
  script: Readonly<Record<string, ReadonlyArray<Outcome>>>,
  refusing: ReadonlySet<string> = new Set()
) => {
  const calls: Array<{ readonly provider: string; readonly key: string | undefined }> = []
  const closed: Array<string> = []
  const build = ({ name }: ProviderSettings) =>
    Effect.acquireRelease(
      Effect.sync((): Provider => {
        let next = 0
        const outcomes = script[name] ?? []
        const answer = (emit: (piece: string) => void, call: Call) =>
          Effect.suspend(() => {
            calls.push({ provider: name, key: call.key === undefined ? undefined : Redacted.value(call.key) })
            call.attempt()
            const { failure, pieces } = outcomes[Math.min(next++, outcomes.length - 1)] ?? { pieces: 1 }
            const say = Effect.sync(() => {
              for (let n = 0; n < pieces; n++) emit(`${name}${n}`)
            })
            const head = pieces > 0 ? Effect.andThen(call.begun, say) : Effect.void
            const end = { finishReason: "stop" as const, usage: { input: 1, output: pieces }, model: `${name}-dated` }
            return Effect.andThen(
              head,
              failure === undefined
                ? Effect.succeed(end)
                : Effect.fail(new ProviderFailure({ retryable: false, ...failure }))
            )
          })
        return {
          name,
          dialect: "chat",
          refuses: () => (refusing.has(name) ? "It takes no audio." : undefined),
          generate: (_target, _request, emit, call) => answer(emit, call)
        }
      }),
      () => Effect.sync(() => void closed.push(name))
    )
  return { build, calls, closed }
}

const asked = (more: Partial<Asking> = {}) => {
  const attempts: Array<Attempt> = []
  const asking: Asking = {
    partition: "a tenant",
    attempt: (record) => void attempts.push(record),
    moment: () => 7,
    ...more
  }
  return { asking, attempts }
}

const QUESTION = ofTexts("fast", [{ role: "user", content: "Hello?" }])

/** Asks, and lets every wait between retries pass. */
const answer = Effect.fnUntraced(function* (
  router: Effect.Success<ReturnType<typeof make>>,
  more: Partial<Asking> = {},
  request = QUESTION
) {
  const said: Array<unknown> = []
  const { asking, attempts } = asked(more)
  const fiber = yield* Effect.forkChild(Effect.result(router.generate(request, (piece) => said.push(piece), asking)), {
    startImmediately: true
  })
  for (let n = 0; n < 20; n++) yield* TestClock.adjust(10_000)
  return { said, attempts, result: yield* Fiber.join(fiber) }
})

const reasonOf = <A>(result: Result.Result<A, ProviderFailure>) =>
  Result.isFailure(result) ? result.failure.reason : "answered"

const REASONS = ["model_unavailable", "model_error", "model_rate_limited", "model_rejected", "prompt_rejected"] as const

const outcomes = fc.array(
  fc.record({
    pieces: fc.integer({ min: 0, max: 2 }),
    failure: fc.option(
      fc.record({
        reason: fc.constantFrom(...REASONS),
        retryable: fc.boolean(),
        waitMs: fc.constantFrom(undefined, 900)
      }),
      { nil: undefined, freq: 3 }
    )
  }),
  { minLength: 1, maxLength: 3 }
)
const scenarios = fc.record({
  targets: fc.array(fc.record({ outcomes, retries: fc.integer({ min: 0, max: 2 }), refuses: fc.boolean() }), {
    minLength: 1,
    maxLength: 4
  })
})

/** The rules once more, in the plainest form: which providers are called, and how it ends. */
const expected = ({ targets }: typeof scenarios extends fc.Arbitrary<infer T> ? T : never) => {
  const calls: Array<string> = []
  let pieces = 0
  let end: string | undefined
  for (const [index, { outcomes, refuses, retries }] of targets.entries()) {
    if (refuses) continue
    for (let call = 0; ; call++) {
      const { failure, pieces: shown } = outcomes[Math.min(call, outcomes.length - 1)] ?? {
        pieces: 0,
        failure: undefined
      }
      calls.push(`t${index}`)
      pieces = shown
      end = failure?.reason ?? "answered"
      if (failure === undefined || shown > 0) return { calls, end, pieces }
      const waits =
        index < targets.length - 1 && FALLBACK_ON.reasons.has(failure.reason) && failure.waitMs !== undefined
      if (!failure.retryable || waits || call === retries) break
    }
    if (!FALLBACK_ON.reasons.has(end as FailureReason)) return { calls, end, pieces }
  }
  return { calls, end: end ?? "model_rejected", pieces }
}

describe("a route", () => {
  it.effect("asks as its rules say, whatever happens at its targets, and nothing after the first piece", () =>
    Effect.forEach(
      fc.sample(scenarios, { numRuns: 300, seed: 14 }),
      Effect.fnUntraced(function* (scenario) {
        const name = (index: number) => `t${index}`
        const script = Object.fromEntries(scenario.targets.map(({ outcomes }, index) => [name(index), outcomes]))
        const refusing = new Set(scenario.targets.flatMap(({ refuses }, index) => (refuses ? [name(index)] : [])))
        const { build, calls } = scripted(script, refusing)
        const router = yield* make(
          configuration([route(scenario.targets.map(({ retries }, index) => to(name(index), { retries })))]),
          build
        )
        const { attempts, result, said } = yield* answer(router)
        const { calls: wanted, end, pieces } = expected(scenario)
        const story = JSON.stringify(scenario)
        assert.deepStrictEqual(
          calls.map(({ provider }) => provider),
          wanted,
          story
        )
        assert.strictEqual(reasonOf(result), end, story)
        assert.lengthOf(said, pieces, story)
        // Each call is a record, completed: also the failed ones.
        assert.deepStrictEqual(
          attempts.map(({ endedAt, provider }) => [provider, endedAt]),
          wanted.map((provider) => [provider, 7]),
          story
        )
        assert.deepStrictEqual(
          attempts.map(({ failure }) => failure).at(-1),
          end === "answered" ? undefined : attempts.at(-1)?.failure
        )
      }, Effect.scoped),
      { discard: true }
    )
  )

  it("shares its questions by the weights, and those of a target that fails by the weights of the rest", () => {
    const targets = [
      { name: "a", weight: 6 },
      { name: "b", weight: 3 },
      { name: "c", weight: 1 },
      { name: "spare", weight: 0 }
    ]
    // Points at equal distances instead of random ones: the shares are exact.
    const shares = new Map<string, number>()
    for (let first = 0; first < 10; first++) {
      for (let second = 0; second < 20; second++) {
        const points = [first / 10, second / 20, 0]
        const order = orderOf("loadbalance", targets, () => points.shift() ?? 0).map(({ name }) => name)
        assert.lengthOf(new Set(order), 4)
        assert.strictEqual(order[3], "spare")
        const key = order.slice(0, 2).join("")
        shares.set(key, (shares.get(key) ?? 0) + 1)
      }
    }
    const firsts = (name: string) =>
      [...shares].reduce((sum, [key, count]) => (key.startsWith(name) ? sum + count : sum), 0)
    assert.deepStrictEqual([firsts("a"), firsts("b"), firsts("c")], [120, 60, 20])
    // After a: b and c as 3 to 1.
    assert.deepStrictEqual([shares.get("ab"), shares.get("ac")], [90, 30])
    assert.deepStrictEqual(
      orderOf("fallback", targets, () => 0.9).map(({ name }) => name),
      ["a", "b", "c", "spare"]
    )
  })

  it("takes every target once in any order that weights make", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (weights, points) => {
          const targets = weights.map((weight, index) => ({ index, weight }))
          const left = points.values()
          const order = orderOf("loadbalance", targets, () => left.next().value ?? 0)
          assert.deepStrictEqual(
            order.map(({ index }) => index).sort((one, other) => one - other),
            targets.map(({ index }) => index)
          )
        }
      )
    )
  })

  it.effect("is the same for the same random numbers", () => {
    const run = Effect.gen(function* () {
      const { build, calls } = scripted({})
      const targets = ["a", "b", "c"].map((name) => to(name))
      const router = yield* make(configuration([route(targets, { strategy: "loadbalance" })]), build)
      for (let n = 0; n < 20; n++) yield* answer(router)
      return calls.map(({ provider }) => provider).join("")
    }).pipe(Random.withSeed("gateway"), Effect.scoped)
    return Effect.gen(function* () {
      const first = yield* run
      assert.strictEqual(yield* run, first)
      assert.lengthOf(new Set(first), 3)
    })
  })

  it.effect("falls back on the statuses it names, and on no other", () =>
    Effect.gen(function* () {
      const failing = (status: number) => ({ pieces: 0, failure: { reason: "model_rejected" as const, status } })
      const on404 = { statuses: new Set([404]), reasons: new Set<FailureReason>() }
      const { build, calls } = scripted({ a: [failing(404), failing(400)], b: [{ pieces: 1 }] })
      const router = yield* make(configuration([route([to("a"), to("b")], { fallbackOn: on404 })]), build)
      assert.strictEqual(reasonOf((yield* answer(router)).result), "answered")
      assert.strictEqual(reasonOf((yield* answer(router)).result), "model_rejected")
      assert.strictEqual(calls.map(({ provider }) => provider).join(""), "aba")
    }).pipe(Effect.scoped)
  )

  it.effect("skips a target whose circuit is open without a call, for the tenant that it failed and no other", () =>
    Effect.gen(function* () {
      const broken = { pieces: 0, failure: { reason: "model_error" as const } }
      const { build, calls } = scripted({ a: [broken], b: [{ pieces: 1 }] })
      const router = yield* make(configuration([route([to("a"), to("b")])]), build)
      const at = () => calls.splice(0).map(({ provider }) => provider)
      const ask = Effect.fnUntraced(function* (partition: string) {
        yield* router.generate(QUESTION, () => {}, asked({ partition }).asking)
        return at()
      })
      for (let n = 0; n < 5; n++) assert.deepStrictEqual(yield* ask("one"), ["a", "b"])
      assert.deepStrictEqual(yield* ask("one"), ["b"])
      assert.deepStrictEqual(yield* ask("another"), ["a", "b"])
      // A probe, once the pause is over.
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(yield* ask("one"), ["a", "b"])
    }).pipe(Effect.scoped)
  )

  it.effect("says when to come back where every target's circuit is open", () =>
    Effect.gen(function* () {
      const broken = { pieces: 0, failure: { reason: "model_error" as const } }
      const { build, calls } = scripted({ a: [broken], b: [broken] })
      const router = yield* make(configuration([route([to("a"), to("b")])]), build)
      const ask = Effect.result(router.generate(QUESTION, () => {}, asked().asking))
      for (let n = 0; n < 5; n++) yield* ask
      const { length } = calls
      const result = yield* ask
      assert.lengthOf(calls, length)
      assert.isTrue(Result.isFailure(result) && result.failure.waitMs === 1000)
      assert.strictEqual(reasonOf(result), "model_unavailable")
    }).pipe(Effect.scoped)
  )

  it.effect("ends when its time is over, at whatever target, and aborts that request", () =>
    Effect.gen(function* () {
      let aborted = false
      const build = ({ name }: ProviderSettings) =>
        Effect.succeed<Provider>({
          name,
          dialect: "chat",
          generate: (_target, _request, _emit, call) =>
            Effect.suspend(() => {
              call.attempt()
              return Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (aborted = true)))
            })
        })
      const router = yield* make(configuration([route([to("a"), to("b")], { answerMs: 5000 })]), build)
      const { attempts, result } = yield* answer(router)
      assert.strictEqual(reasonOf(result), "model_timeout")
      assert.isTrue(aborted)
      assert.deepStrictEqual(
        attempts.map(({ endedAt, failure }) => [endedAt, failure]),
        [[7, undefined]]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("does not know a model of another kind or name", () =>
    Effect.gen(function* () {
      const { build, calls } = scripted({})
      const router = yield* make(configuration([route([to("a")])]), build)
      const unknown = yield* answer(router, {}, ofTexts("slow", []))
      const { asking } = asked()
      const embedding = yield* Effect.result(router.embed({ model: "fast", input: ["a"] }, asking))
      for (const result of [Result.map(unknown.result, () => {}), Result.map(embedding, () => {})])
        assert.isTrue(Result.isFailure(result) && result.failure.said?.code === "model_not_found")
      assert.lengthOf(calls, 0)
      assert.isUndefined(yield* router.countTokens(QUESTION, asking))
    }).pipe(Effect.scoped)
  )

  it.effect("says why, where no target can be asked what is asked", () =>
    Effect.gen(function* () {
      const { build, calls } = scripted({}, new Set(["a", "b"]))
      const router = yield* make(configuration([route([to("a"), to("b")])]), build)
      const { result } = yield* answer(router)
      assert.isTrue(Result.isFailure(result) && result.failure.said?.message === "It takes no audio.")
      assert.strictEqual(reasonOf(result), "model_rejected")
      assert.lengthOf(calls, 0)
    }).pipe(Effect.scoped)
  )
})

describe("a tenant's own key", () => {
  const own = (key: Redacted.Redacted | "unusable" | undefined) => ({ keyFor: () => Effect.succeed(key) })

  it.effect("is used where the provider's policy says so, and its call is recorded as theirs", () =>
    Effect.gen(function* () {
      const { build, calls } = scripted({ a: [{ pieces: 1 }] })
      const router = yield* make(configuration([route([to("a")])]), build)
      const first = yield* answer(router, own(Redacted.make("theirs")))
      const second = yield* answer(router, own(undefined))
      assert.deepStrictEqual(
        calls.map(({ key }) => key),
        ["theirs", "key of a"]
      )
      assert.deepStrictEqual(
        [...first.attempts, ...second.attempts].map(({ keySource }) => keySource),
        ["tenant", "installation"]
      )
      yield* router.use(configuration([route([to("a")])], { a: "installation" }))
      yield* answer(router, own(Redacted.make("theirs")))
      assert.strictEqual(calls.at(-1)?.key, "key of a")
    }).pipe(Effect.scoped)
  )

  it.effect("that is missing where it must be, or cannot be read, is never replaced by the installation's", () =>
    Effect.gen(function* () {
      const { build, calls } = scripted({ a: [{ pieces: 1 }] })
      const router = yield* make(configuration([route([to("a")])], { a: "tenant_only" }), build)
      for (const key of [undefined, "unusable"] as const)
        assert.strictEqual(reasonOf((yield* answer(router, own(key))).result), "model_unauthorized")
      yield* router.use(configuration([route([to("a")])]))
      assert.strictEqual(reasonOf((yield* answer(router, own("unusable"))).result), "model_unauthorized")
      assert.lengthOf(calls, 0)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "that the provider quotes in its refusal is told to nobody, whatever it looks like, nor are secret headers",
    () =>
      Effect.gen(function* () {
        const message = "no hunter2-internal, gate-12345678, key of a or true. hunter2-int"
        const said = { message, param: "hunter2-internal", code: "gate-12345678", type: "x" }
        const { build } = scripted({ a: [{ pieces: 0, failure: { reason: "model_rejected", said } }] })
        const from = configuration([route([to("a")])])
        const headers = { "x-gate": Redacted.make("gate-12345678"), "x-flag": Redacted.make("true") }
        const providers = from.providers.map((each) => ({ ...each, headers }))
        const router = yield* make({ ...from, providers }, build)
        const own = Effect.succeed(Redacted.make("hunter2-internal"))
        const { result } = yield* answer(router, { keyFor: () => own })
        assert.deepInclude(Result.getFailure(result).pipe(Option.getOrUndefined), {
          said: { message: "no [key], [key], [key] or true. [key]", param: "[key]", code: "[key]", type: "x" }
        })
      })
  )

  it.effect("that fails opens no circuit for the installation's", () =>
    Effect.gen(function* () {
      const limited = { pieces: 0, failure: { reason: "model_rate_limited" as const } }
      const { build, calls } = scripted({ a: [limited] })
      const router = yield* make(configuration([route([to("a")])]), build)
      for (const partition of ["one", "two", "three", "four", "five", "six"])
        for (let n = 0; n < 5; n++) yield* answer(router, { partition, ...own(Redacted.make("theirs")) })
      calls.length = 0
      yield* answer(router, { partition: "seven" })
      yield* answer(router, { partition: "one" })
      assert.lengthOf(calls, 2)
    }).pipe(Effect.scoped)
  )
})

describe("a new configuration", () => {
  it.effect("holds from the next question on; an answer under way keeps what it began with", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const { build: scriptedBuild, calls, closed } = scripted({ b: [{ pieces: 1 }] })
      const build = (settings: ProviderSettings) =>
        settings.name === "b"
          ? scriptedBuild(settings)
          : Effect.map(scriptedBuild(settings), (provider): Provider => ({
              ...provider,
              generate: (...all) => Effect.andThen(Deferred.await(go), provider.generate(...all))
            }))
      const router = yield* make(configuration([route([to("a")])]), build)
      const before = yield* Effect.forkChild(
        router.generate(QUESTION, () => {}, asked().asking),
        {
          startImmediately: true
        }
      )
      yield* router.use(configuration([route([to("b")])]))
      assert.deepStrictEqual(
        router.configuration().providers.map(({ name }) => name),
        ["b"]
      )
      yield* router.generate(QUESTION, () => {}, asked().asking)
      assert.deepStrictEqual(closed, [])
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* Fiber.join(before)).finishReason, "stop")
      assert.deepStrictEqual(
        calls.map(({ provider }) => provider),
        ["b", "a"]
      )
      // Its connections are closed when nothing uses them any more.
      assert.deepStrictEqual(closed, ["a"])
    }).pipe(Effect.scoped)
  )

  it.effect("leaves the circuits of targets that stay as they are", () =>
    Effect.gen(function* () {
      const { build, calls } = scripted({ a: [{ pieces: 0, failure: { reason: "model_error" } }], b: [{ pieces: 1 }] })
      const router = yield* make(configuration([route([to("a")])]), build)
      for (let n = 0; n < 5; n++) yield* answer(router, {}, QUESTION)
      calls.length = 0
      yield* router.use(configuration([route([to("a"), to("b")])]))
      yield* router.generate(QUESTION, () => {}, asked().asking)
      assert.isAtMost(calls.length, 2)
      assert.strictEqual(calls.at(-1)?.provider, "b")
    }).pipe(Effect.scoped)
  )
})
