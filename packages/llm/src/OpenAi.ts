import type { Llm } from "@llm-saas/engine/generations/Llm"
import { Clock, Deferred, Effect, type Layer } from "effect"
import { makeAgents } from "./Agents.ts"
import * as Attempt from "./Attempt.ts"
import { LearnedDialect } from "./LearnedDialect.ts"
import type { Provider, ProviderOptions, Target } from "./Provider.ts"
import { textsOf } from "./Prompt.ts"
import { oneModel } from "./routes/OneModel.ts"
import * as RoutedLlm from "./routes/RoutedLlm.ts"
import { baseUrlOf, type OpenAiOptions } from "./Target.ts"

export type { OpenAiOptions } from "./Target.ts"

/**
 * An OpenAI-compatible API: OpenAI, Ollama, Together, vLLM and many more; Azure's classic one where there is an `apiVersion`. Each of its
 * models has a dialect of its own.
 */
export const make = Effect.fnUntraced(function* (options: ProviderOptions) {
  const clock = yield* Clock.Clock
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => makeAgents(baseUrlOf(options), options.proxies)),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
  const dialects = new Map<string, LearnedDialect>()
  const learnedFor = (target: Target): LearnedDialect => {
    const learned = dialects.get(target.model) ?? new LearnedDialect(target)
    dialects.set(target.model, learned)
    return learned
  }
  const attempt = Attempt.make({ agents, clock, learnedFor, options })

  const provider: Provider = {
    name: options.name,
    dialect: "chat",
    generate: (target, request, emit, call) =>
      attempt(target, textsOf(request), emit, call).pipe(
        Effect.flatMap((sent) => sent.unlessSilent(Deferred.await(sent.ended), target.silenceMs)),
        Effect.scoped
      )
  }
  return provider
})

/** One model behind such an API, asked by the rules of a route. */
export const OpenAiLayer = (options: OpenAiOptions): Layer.Layer<Llm> => {
  const { answerMs, apiKey, azureApiVersion, baseUrl, maxTokens, proxies, retries, ...target } = options
  const provider = { baseUrl, apiVersion: azureApiVersion, headers: {}, proxies, key: apiKey }
  return RoutedLlm.layer(
    oneModel(
      { ...provider, name: "openai", type: "openai", keyPolicy: "installation" },
      { target: { ...target, maxOutputTokens: maxTokens }, retries },
      answerMs
    ),
    make
  )
}
