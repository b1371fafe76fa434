import { FinishReason } from "@llm-saas/domain/Generation"
import { approximateTokens } from "@llm-saas/domain/Message"
import { type Completion, Llm, LlmFailed, type Prompt } from "@llm-saas/engine/generations/Llm"
import { Effect, Layer, Option, Schema } from "effect"
import { answer } from "./MockText.ts"

/** How the mock model talks. */
export interface MockOptions {
  /** Tokens of an answer. */
  readonly tokens: number
  /** Milliseconds before the first token, and between two: on average, since the second and later ones come with a beat of 10 ms. */
  readonly ttft: number
  readonly delay: number
  /** How long (ms) silence lasts before it is a failure: before the first token, and after it. As with a real provider. */
  readonly patience: { readonly firstToken: number; readonly silence: number }
  /** Whether a question may say how it wants to be answered, see {@link Wish}. In production it may not: it is text like any other. */
  readonly wishes: boolean
}

/**
 * What a question can wish for, as JSON in double brackets anywhere in it: `[[mock {"tokens": 5, "fault": "middle"}]]`. For development
 * and tests: every way in which a model can fail can be had without one.
 */
const Wish = Schema.Struct({
  tokens: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  ttft: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))),
  delay: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))),
  /** Exactly these pieces, instead of an answer. */
  say: Schema.optionalKey(Schema.Array(Schema.String)),
  finish: Schema.optionalKey(FinishReason),
  /**
   * `before`: the provider fails before the first token. `middle`: after half of them the connection ends. `stall`: after half of them
   * nothing more comes. `hang`: nothing comes at all. `no-usage`: no tokens are counted. `rate-limit`: come back in 7 seconds.
   */
  fault: Schema.optionalKey(Schema.Literals(["before", "middle", "stall", "hang", "no-usage", "rate-limit"]))
})
type Wish = typeof Wish.Type

const decodeWish = Schema.decodeUnknownOption(Schema.fromJsonString(Wish))
const WISH = /\[\[mock (\{(?:(?!\[\[mock )[^])*?\})\]\]/u

/** Pieces that are given out in one turn of the event loop where there is no delay, or we are late; then it is others' turn. */
const BURST = 16

/**
 * A model without a model: no key, no network, the same answer for the same question. Plain timers, one a token at most: an Effect fiber
 * that sleeps for each would cost more than all the rest of a token's way.
 */
export const MockLayer = (options: MockOptions) =>
  Layer.succeed(Llm, {
    provider: "mock",
    model: "mock-1",
    generate: (prompt, emit): Effect.Effect<Completion, LlmFailed> => {
      const question = prompt.at(-1)?.content ?? ""
      const wish: Wish = options.wishes ? Option.getOrElse(decodeWish(WISH.exec(question)?.[1]), (): Wish => ({})) : {}
      const count = wish.say?.length ?? wish.tokens ?? options.tokens
      const said = (): Iterator<string, unknown> => wish.say?.values() ?? answer(question, count)
      const half = Math.ceil(count / 2)
      const delays = { ttft: wish.ttft ?? options.ttft, delay: wish.delay ?? options.delay }
      switch (wish.fault ?? "none") {
        case "before":
          return Effect.fail(new LlmFailed({ reason: "model_error" }))
        case "rate-limit":
          return Effect.fail(new LlmFailed({ reason: "model_rate_limited", retryAfter: 7 }))
        case "hang":
          return silence(options.patience.firstToken)
        case "middle":
          return Effect.andThen(talk(said, half, delays, emit), Effect.fail(new LlmFailed({ reason: "model_cut" })))
        case "stall":
          return Effect.andThen(talk(said, half, delays, emit), silence(options.patience.silence))
        case "no-usage":
        case "none": {
          const completion: Completion = {
            finishReason: wish.finish ?? "stop",
            usage: wish.fault === "no-usage" ? undefined : { input: inputTokens(prompt), output: count },
            model: undefined
          }
          return Effect.as(talk(said, count, delays, emit), completion)
        }
      }
    }
  })

const silence = (patience: number) =>
  Effect.andThen(Effect.sleep(patience), Effect.fail(new LlmFailed({ reason: "model_timeout" })))

const inputTokens = (prompt: Prompt) => prompt.reduce((sum, { content }) => sum + approximateTokens(content), 0)

/** Milliseconds of the beat to which all answers of the process talk: a timer wakes the process, and one of them can for all. */
const BEAT = 10

/**
 * Says `count` pieces, each at its time after the question: a model does not talk more slowly because we are busy, so what we are late for
 * comes at once. Interrupted, it says no more.
 */
const talk = (
  said: () => Iterator<string, unknown>,
  count: number,
  { delay, ttft }: { readonly ttft: number; readonly delay: number },
  emit: (text: string) => void
): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let timer: NodeJS.Timeout | undefined = undefined
    let turn: NodeJS.Immediate | undefined = undefined
    const pieces = said()
    let place = 0
    let stopped = false
    const first = performance.now() + ttft
    const next = () => {
      // A timer may come a millisecond early: it counts in whole ones.
      const now = performance.now() + 1
      for (let burst = 0; burst < BURST && place < count && first + place * delay <= now; burst++) {
        place++
        const piece = pieces.next()
        if (piece.done !== true && piece.value !== "") emit(piece.value)
        if (stopped) return
      }
      if (place === count) resume(Effect.void)
      else wait(Math.ceil((first + place * delay) / BEAT) * BEAT - now)
    }
    const wait = (milliseconds: number) => {
      if (milliseconds > 0) timer = setTimeout(next, milliseconds)
      else turn = setImmediate(next)
    }
    wait(ttft)
    return Effect.sync(() => {
      stopped = true
      clearTimeout(timer)
      clearImmediate(turn)
    })
  })
