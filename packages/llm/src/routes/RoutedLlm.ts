import { Llm, type ModelInfo } from "@llm-saas/engine/generations/Llm"
import { Effect, Layer } from "effect"
import { toLlmFailed } from "../ProviderFailure.ts"
import type { Configuration, Route } from "./Configuration.ts"
import type { Build } from "./Live.ts"
import { pricingsOf } from "./Pricing.ts"
import { make, type Router } from "./Router.ts"

/** The engine's port, answered by a router. */
export const toLlm = (router: Router): Llm["Service"] =>
  Llm.of({
    get defaultModel() {
      return router.configuration().defaultModel
    },
    isMadeUp: () => {
      const { defaultModel, models, providers } = router.configuration()
      const mocks = new Set(providers.filter(({ type }) => type === "mock").map(({ name }) => name))
      return models.some(
        ({ alias, targets }) => alias === defaultModel && targets.every(({ provider }) => mocks.has(provider))
      )
    },
    find: (model) => {
      const route = router.configuration().models.find(({ alias }) => alias === model)
      return route === undefined ? undefined : infoOf(router.configuration(), route)
    },
    models: () => {
      const configuration = router.configuration()
      return configuration.models.map((route) => infoOf(configuration, route))
    },
    takesKeys: (provider) =>
      router.configuration().providers.some(({ keyPolicy, name }) => name === provider && keyPolicy !== "installation"),
    estimate: router.estimate,
    health: router.health,
    generate: (request, emit, asking) => Effect.mapError(router.generate(request, emit, asking), toLlmFailed),
    embed: (request, asking) => Effect.mapError(router.embed(request, asking), toLlmFailed),
    countTokens: (request, asking) => Effect.mapError(router.countTokens(request, asking), toLlmFailed)
  })

const infoOf = (configuration: Configuration, route: Route): ModelInfo => {
  const { alias, contextWindow, createdAt, kind, maxOutputTokens, targets } = route
  return {
    id: alias,
    kind,
    provider: targets[0]?.provider ?? "",
    contextWindow,
    maxOutputTokens,
    createdAt,
    pricing: pricingsOf(configuration, route)
  }
}

/** The models of one configuration that does not change. */
export const layer = (configuration: Configuration, build: Build): Layer.Layer<Llm> =>
  Layer.effect(Llm, Effect.map(make(configuration, build), toLlm))
