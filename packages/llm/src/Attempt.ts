import { type Clock, Deferred, Effect, Exit, Option, type Scope } from "effect"
import type { Agents } from "./Agents.ts"
import type { Pass } from "./Breaker.ts"
import { ChatStream } from "./ChatStream.ts"
import { bodyOf, withoutRefused } from "./Dialect.ts"
import type { FaultLog } from "./FaultLog.ts"
import type { LearnedDialect } from "./LearnedDialect.ts"
import { internal, noConnection, type ProviderFailure, tooLate } from "./ProviderFailure.ts"
import type { ProviderHealth } from "./ProviderHealth.ts"
import { ProviderRequest } from "./ProviderRequest.ts"
import type { Asked } from "./Rejection.ts"
import type { Prompt } from "./Prompt.ts"
import { endpointOf, type OpenAiOptions } from "./Target.ts"

/** What all questions to one target share. */
interface Target {
  readonly agents: Agents
  readonly clock: Clock.Clock
  readonly faults: FaultLog
  readonly health: ProviderHealth
  readonly learned: LearnedDialect
  readonly options: OpenAiOptions
}

/** Sends one question, and waits for the first text of its answer. */
export const make = ({ agents, clock, faults, health, learned, options }: Target) => {
  const endpoint = endpointOf(options)

  /** Waits for the first text of an answer, or its end without text. Thoughts before it show that the provider works. */
  const begin = Effect.fnUntraced(function* (request: ProviderRequest, pass: Pass) {
    yield* within(Deferred.await(request.connected), options.connectMs, noConnection)
    yield* within(Deferred.await(request.begun), options.firstTokenMs, tooLate)
    yield* health.began(pass)
    if (!request.spoken) yield* request.unlessSilent(Deferred.await(request.said), options.silenceMs)
  })

  const open = (prompt: Prompt, emit: (text: string) => void) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const texts = prompt.map(({ content }) => content)
        return new ProviderRequest(agents, clock, emit, { texts, maxTokens: options.maxTokens }, readChat)
      }),
      (request) => Effect.sync(() => request.close())
    )

  /** If the server refuses a parameter, the request is repeated at once without it. */
  return Effect.fnUntraced(function* (
    prompt: Prompt,
    emit: (text: string) => void,
    pass: Pass
  ): Effect.fn.Return<ProviderRequest, ProviderFailure, Scope.Scope> {
    const known = learned.dialect
    let sent = { dialect: known, certain: known }
    for (;;) {
      const request = yield* open(prompt, emit)
      const body = JSON.stringify(bodyOf(sent.dialect, options, prompt))
      yield* Effect.try({ try: () => request.send(endpoint, body), catch: () => internal })
      const exit = yield* Effect.exit(begin(request, pass))
      if (Exit.isSuccess(exit)) {
        if (sent.certain !== learned.dialect) yield* learned.learn(sent.certain)
        yield* faults.over
        return request
      }
      request.close()
      const failed = Option.getOrUndefined(Exit.findErrorOption(exit))
      const rejected = failed?.reason === "model_rejected" && (failed.status === 400 || failed.status === 422)
      const { error } = request
      const texts = prompt.map(({ content }) => content)
      const next = error === undefined || !rejected || request.spoken ? undefined : withoutRefused(sent, error, texts)
      if (next === undefined) return yield* Effect.failCause(exit.cause)
      sent = next
    }
  })
}

const readChat = (emit: (text: string) => void, asked: Asked) => new ChatStream(emit, asked)

const within = <A>(effect: Effect.Effect<A, ProviderFailure>, duration: number, failed: ProviderFailure) =>
  Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(failed) })
