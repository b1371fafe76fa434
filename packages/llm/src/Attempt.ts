import { type Clock, Deferred, Effect, Exit, Option, type Scope } from "effect"
import type { Agents } from "./Agents.ts"
import { ChatStream } from "./ChatStream.ts"
import { bodyOf, withoutRefused } from "./Dialect.ts"
import type { LearnedDialect } from "./LearnedDialect.ts"
import { internal, noConnection, type ProviderFailure, tooLate } from "./ProviderFailure.ts"
import type { Call, ProviderOptions, Target } from "./Provider.ts"
import { ProviderRequest } from "./ProviderRequest.ts"
import type { Asked } from "./Rejection.ts"
import type { Prompt } from "./Prompt.ts"
import { endpointOf } from "./Target.ts"

/** What all questions to one provider share. */
interface Shared {
  readonly agents: Agents
  readonly clock: Clock.Clock
  readonly learnedFor: (target: Target) => LearnedDialect
  readonly options: ProviderOptions
}

/** Sends one question, and waits for the first text of its answer. */
export const make = ({ agents, clock, learnedFor, options }: Shared) => {
  /** Waits for the first text of an answer, or its end without text. Thoughts before it show that the provider works. */
  const begin = Effect.fnUntraced(function* (request: ProviderRequest, target: Target, call: Call) {
    yield* within(Deferred.await(request.connected), target.connectMs, noConnection)
    yield* within(Deferred.await(request.begun), target.firstTokenMs, tooLate)
    yield* call.begun
    if (!request.spoken) yield* request.unlessSilent(Deferred.await(request.said), target.silenceMs)
  })

  const open = (maxTokens: number, prompt: Prompt, emit: (text: string) => void) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const texts = prompt.map(({ content }) => content)
        return new ProviderRequest(agents, clock, emit, { texts, maxTokens }, readChat)
      }),
      (request) => Effect.sync(() => request.close())
    )

  /** If the server refuses a parameter, the request is repeated at once without it. */
  return Effect.fnUntraced(function* (
    target: Target,
    prompt: Prompt,
    emit: (text: string) => void,
    call: Call
  ): Effect.fn.Return<ProviderRequest, ProviderFailure, Scope.Scope> {
    const learned = learnedFor(target)
    const endpoint = endpointOf(options, target.model, call.key)
    const known = learned.dialect
    let sent = { dialect: known, certain: known }
    for (;;) {
      const request = yield* open(target.maxOutputTokens ?? 0, prompt, emit)
      const body = JSON.stringify(bodyOf(sent.dialect, target, prompt))
      const record = call.attempt()
      yield* Effect.try({ try: () => request.send(endpoint, body), catch: () => internal })
      const exit = yield* Effect.exit(begin(request, target, call))
      record.status = request.status
      if (Exit.isSuccess(exit)) {
        if (sent.certain !== learned.dialect) yield* learned.learn(sent.certain)
        record.firstAt = call.moment()
        return request
      }
      request.close()
      const failed = Option.getOrUndefined(Exit.findErrorOption(exit))
      const rejected = failed?.reason === "model_rejected" && (failed.status === 400 || failed.status === 422)
      const { error } = request
      const texts = prompt.map(({ content }) => content)
      const next = error === undefined || !rejected || request.spoken ? undefined : withoutRefused(sent, error, texts)
      if (next === undefined) return yield* Effect.failCause(exit.cause)
      record.failure = failed?.reason
      sent = next
    }
  })
}

const readChat = (emit: (text: string) => void, asked: Asked) => new ChatStream(emit, asked)

const within = <A>(effect: Effect.Effect<A, ProviderFailure>, duration: number, failed: ProviderFailure) =>
  Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(failed) })
