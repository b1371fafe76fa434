import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Pricing } from "@llm-saas/domain/Pricing"
import { type Asking, type Completion, Llm, LlmFailed } from "@llm-saas/engine/generations/Llm"
import type { FailureReason } from "@llm-saas/domain/Generation"
import { Context, Deferred, Effect, Layer, Queue } from "effect"

/** One question that reached the model. The test is the model: it decides what is sent, and when. */
export interface Call {
  readonly request: ModelRequest
  readonly asking: Asking
  /** Its texts by turn, where it has no others. */
  readonly prompt: ReadonlyArray<{ readonly role: string; readonly content: string }>
  readonly emit: (piece: ModelPiece) => void
  readonly complete: (completion?: Partial<Completion>) => void
  readonly fail: (reason: FailureReason, retryAfter?: number) => void
  /** Completes when the request to the provider is aborted. */
  readonly aborted: Effect.Effect<void>
}

/** A model controlled by the test. */
export class Script extends Context.Service<
  Script,
  {
    /** The next question that reaches the model; waits for it. */
    readonly next: Effect.Effect<Call>
    /** Number of questions that have reached it. */
    readonly asked: () => number
  }
>()("@llm-saas/testing/Script") {}

/** A dollar for a million tokens of input, two for those of output. */
const PRICING: Pricing = {
  provider: "scripted",
  type: "openai",
  model: "scripted",
  own: [
    { id: null, unit: "input", tierStart: 0, price: "0.000001" },
    { id: null, unit: "output", tierStart: 0, price: "0.000002" }
  ]
}

const INFO = { id: "scripted-1", kind: "chat", provider: "scripted", pricing: [PRICING] } as const

/** Its vectors are the place of the input and its length. */
const EMBEDDING = { id: "scripted-embedding-1", kind: "embeddings", provider: "scripted", pricing: [PRICING] } as const

const textsOf = ({ input }: ModelRequest) =>
  input.flatMap((item) =>
    item.type === "message"
      ? [
          {
            role: item.role,
            content: item.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
          }
        ]
      : []
  )

export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const calls = yield* Queue.unbounded<Call>()
    let asked = 0
    const llm = Llm.of({
      health: () => [],
      defaultModel: INFO.id,
      isMadeUp: () => false,
      find: (name) => [INFO, EMBEDDING].find(({ id }) => id === name),
      models: () => [INFO, EMBEDDING],
      takesKeys: (provider) => provider === INFO.provider,
      embed: ({ input }, asking) =>
        Effect.sync(() => {
          const now = asking.moment()
          asking.attempt({
            provider: "scripted",
            model: EMBEDDING.id,
            keySource: "installation",
            pricing: PRICING,
            startedAt: now,
            endedAt: now
          })
          const vectors = input.map(({ length }, index) => [index, length])
          return { vectors, usage: { input: input.length, output: 0 }, model: "scripted-embedding-1-2026" }
        }),
      countTokens: () => Effect.succeed(undefined),
      estimate: () => ({ input: 10, inputAtMost: 20, outputAtMost: 100 }),
      generate: (request, emit, asking) =>
        Effect.gen(function* () {
          const end = yield* Deferred.make<Completion, LlmFailed>()
          const aborted = yield* Deferred.make<void>()
          asked++
          let noted = false
          const attempt: Asking["attempt"] = (record) => {
            noted = true
            asking.attempt(record)
          }
          const startedAt = asking.moment()
          yield* Queue.offer(calls, {
            request,
            asking: { ...asking, attempt },
            prompt: textsOf(request),
            emit,
            complete: (completion) => {
              // The call that answers, where the test has noted none.
              if (!noted)
                attempt({
                  provider: INFO.provider,
                  model: INFO.id,
                  keySource: "installation",
                  pricing: PRICING,
                  startedAt
                })
              Deferred.doneUnsafe(
                end,
                Effect.succeed({ finishReason: "stop", usage: undefined, model: undefined, ...completion })
              )
            },
            fail: (reason, retryAfter) =>
              void Deferred.doneUnsafe(
                end,
                Effect.fail(new LlmFailed({ reason, ...(retryAfter === undefined ? {} : { retryAfter }) }))
              ),
            aborted: Deferred.await(aborted)
          })
          return yield* Effect.onInterrupt(Deferred.await(end), () => Deferred.succeed(aborted, undefined))
        })
    })
    return Context.make(Llm, llm).pipe(Context.add(Script, { next: Queue.take(calls), asked: () => asked }))
  })
)
