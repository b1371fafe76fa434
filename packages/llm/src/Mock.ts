import { type FailureReason, FinishReason } from "@llm-saas/domain/Generation"
import type { EmbeddingAnswer } from "@llm-saas/domain/Embedding"
import { approximateTokens } from "@llm-saas/domain/Message"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { type ModelRequest, questionText } from "@llm-saas/domain/ModelRequest"
import type { Completion, Llm } from "@llm-saas/engine/generations/Llm"
import { Effect, type Layer, Option, Schema } from "effect"
import { answerTo, inputTokens, vectorOf } from "./MockAnswer.ts"
import type { Provider } from "./Provider.ts"
import { ProviderFailure } from "./ProviderFailure.ts"
import { oneModel } from "./routes/OneModel.ts"
import * as RoutedLlm from "./routes/RoutedLlm.ts"

/** Options of the mock model. */
export interface MockOptions {
  /** Tokens per answer. */
  readonly tokens: number
  /** Before the first token, and between two: on average, because all but the first are sent on ticks of 10 ms. */
  readonly ttftMs: number
  readonly delayMs: number
  /** Silence that counts as a failure: before the first token, and after it. As with a real provider. */
  readonly patienceMs: { readonly firstToken: number; readonly silence: number }
  /** Whether a question may control its answer, see {@link Wish}. In production it may not: it is text like any other. */
  readonly wishes: boolean
}

/**
 * Controls the answer by JSON in double brackets anywhere in a question: `[[mock {"tokens": 5, "fault": "middle"}]]`. For development
 * and tests: it reproduces every failure of a model.
 */
const Wish = Schema.Struct({
  tokens: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  ttft: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))),
  delay: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))),
  /** Exactly these pieces, instead of an answer. */
  say: Schema.optionalKey(Schema.Array(Schema.String)),
  finish: Schema.optionalKey(FinishReason),
  /**
   * `before`: the provider fails before the first token. `middle`: the connection ends after half of the tokens. `stall`: silence after
   * half of the tokens. `hang`: no token at all. `no-usage`: no token counts. `rate-limit`: a retry after 7 seconds.
   */
  fault: Schema.optionalKey(Schema.Literals(["before", "middle", "stall", "hang", "no-usage", "rate-limit"]))
})
type Wish = typeof Wish.Type

const decodeWish = Schema.decodeUnknownOption(Schema.fromJsonString(Wish))
const WISH = /\[\[mock (\{(?:(?!\[\[mock )[^])*?\})\]\]/u

/** Maximum tokens per turn of the event loop if there is no delay, or we are late; other work runs in between. */
const BURST = 16

/**
 * The mock model: no key, no network, the same answer for the same question. It uses plain timers, one for all answers' next tokens: an
 * Effect fiber that sleeps for each token would cost more than all other work for the token.
 */
export const make = (name: string, options: MockOptions): Provider => {
  const ticks = new Ticks()
  const wishOf = (request: ModelRequest): Wish =>
    options.wishes ? Option.getOrElse(decodeWish(WISH.exec(questionText(request))?.[1]), (): Wish => ({})) : {}
  return {
    name,
    dialect: undefined,
    generate: (_target, request, emit, call) => {
      const wish = wishOf(request)
      const own = answerTo(request, wish.tokens ?? options.tokens)
      const { count, pieces, reasoning, tokens } =
        wish.say === undefined
          ? own
          : { count: wish.say.length, pieces: saying(wish.say), reasoning: 0, tokens: wish.say.length }
      const half = Math.ceil(count / 2)
      const delays = { ttftMs: wish.ttft ?? options.ttftMs, delayMs: wish.delay ?? options.delayMs }
      const asked = Effect.sync(call.attempt)
      const talking = (number: number) =>
        Effect.flatMap(asked, (record) =>
          talk(pieces, number, delays, ticks, (piece) => {
            record.firstAt ??= call.moment()
            emit(piece)
          })
        )
      switch (wish.fault ?? "none") {
        case "before":
          return Effect.andThen(asked, failed("model_error"))
        case "rate-limit":
          return Effect.andThen(asked, failed("model_rate_limited", 7000))
        case "hang":
          return Effect.andThen(asked, silence(options.patienceMs.firstToken))
        case "middle":
          return Effect.andThen(talking(half), failed("model_cut"))
        case "stall":
          return Effect.andThen(talking(half), silence(options.patienceMs.silence))
        case "no-usage":
        case "none": {
          const completion: Completion = {
            finishReason: wish.finish ?? (wish.say === undefined ? own.finishReason : "stop"),
            usage:
              wish.fault === "no-usage"
                ? undefined
                : {
                    input: inputTokens(request),
                    output: tokens,
                    ...(reasoning === 0 ? {} : { details: { reasoning } })
                  },
            model: undefined
          }
          return Effect.as(talking(count), completion)
        }
      }
    },
    embed: (target, { dimensions, input }, call) =>
      Effect.sync((): EmbeddingAnswer => {
        call.attempt()
        const texts = input.map((each) => (typeof each === "string" ? approximateTokens(each) : each.length))
        return {
          vectors: input.map((each) => vectorOf(each, dimensions)),
          usage: { input: texts.reduce((sum, each) => sum + each, 0), output: 0 },
          model: target.model
        }
      }),
    estimate: (_target, request) => {
      const { say, tokens } = wishOf(request)
      const input = inputTokens(request)
      const output = say === undefined ? answerTo(request, tokens ?? options.tokens).tokens : say.length
      return { input, inputAtMost: input, outputAtMost: output }
    },
    countTokens: (_target, request) => Effect.succeed(inputTokens(request))
  }
}

/** The mock as the only model. */
export const MockLayer = (options: MockOptions): Layer.Layer<Llm> => {
  const target = { model: "mock-1", maxOutputTokens: undefined, temperature: undefined, connectMs: 0 }
  const { firstToken, silence } = options.patienceMs
  return RoutedLlm.layer(
    oneModel(
      {
        name: "mock",
        type: "mock",
        baseUrl: undefined,
        apiVersion: undefined,
        headers: {},
        proxies: undefined,
        key: undefined,
        keyPolicy: "installation"
      },
      { target: { ...target, firstTokenMs: firstToken, silenceMs: silence }, retries: 0 },
      3_600_000
    ),
    ({ name }) => Effect.succeed(make(name, options))
  )
}

const failed = (reason: FailureReason, waitMs?: number) =>
  Effect.fail(new ProviderFailure({ reason, retryable: false, waitMs }))

const silence = (patienceMs: number) => Effect.andThen(Effect.sleep(patienceMs), failed("model_timeout"))

const saying = (pieces: ReadonlyArray<string>) => (): Iterator<ModelPiece, unknown> => pieces.values()

/** Tokens of all answers are sent on common ticks. */
const TICK_MS = 10

/** Work to be done at a tick, with one timer for each tick: a timer for each token costs as much as the token. */
class Ticks {
  readonly #due = new Map<number, { readonly timer: NodeJS.Timeout; readonly work: Set<() => void> }>()

  /** Does the work at the first tick from `time` on. Returns how to give it up. */
  at(time: number, work: () => void): () => void {
    const tick = Math.ceil(time / TICK_MS)
    const due = this.#due.get(tick) ?? this.#begin(tick)
    due.work.add(work)
    return () => {
      due.work.delete(work)
      if (due.work.size > 0 || this.#due.get(tick) !== due) return
      clearTimeout(due.timer)
      this.#due.delete(tick)
    }
  }

  #begin(tick: number) {
    const work = new Set<() => void>()
    const timer = setTimeout(
      () => {
        this.#due.delete(tick)
        for (const each of work) each()
      },
      Math.max(0, Math.ceil(tick * TICK_MS - performance.now()))
    )
    const due = { timer, work }
    this.#due.set(tick, due)
    return due
  }
}

/**
 * Emits `count` pieces, each at its time after the question. A model is not slower because this process is busy, so late pieces are
 * emitted at once. After an interruption nothing is emitted.
 */
const talk = (
  said: () => Iterator<ModelPiece, unknown>,
  count: number,
  { delayMs, ttftMs }: { readonly ttftMs: number; readonly delayMs: number },
  ticks: Ticks,
  emit: (piece: ModelPiece) => void
): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let cancel = () => {}
    const pieces = said()
    let place = 0
    let stopped = false
    const first = performance.now() + ttftMs
    const next = () => {
      // A timer may fire up to a millisecond early: it counts in whole milliseconds.
      const now = performance.now() + 1
      for (let burst = 0; burst < BURST && place < count && first + place * delayMs <= now; burst++) {
        place++
        const piece = pieces.next()
        if (piece.done !== true && piece.value !== "") emit(piece.value)
        if (stopped) return
      }
      if (place === count) return resume(Effect.void)
      const time = first + place * delayMs
      cancel = time > now ? ticks.at(time, next) : soon(next)
    }
    cancel = ttftMs > 0 ? later(next, ttftMs) : soon(next)
    return Effect.sync(() => {
      stopped = true
      cancel()
    })
  })

const later = (work: () => void, milliseconds: number) => {
  const timer = setTimeout(work, milliseconds)
  return () => clearTimeout(timer)
}

const soon = (work: () => void) => {
  const turn = setImmediate(work)
  return () => clearImmediate(turn)
}
