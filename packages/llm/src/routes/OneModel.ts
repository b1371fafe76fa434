import { type Configuration, FALLBACK_ON, type ProviderSettings, type RouteTarget } from "./Configuration.ts"

/** One provider with one model, which clients call by the provider's own name for it. */
export const oneModel = (
  provider: Omit<ProviderSettings, "origin">,
  target: Omit<RouteTarget, "provider" | "weight">,
  answerMs: number
): Configuration => ({
  providers: [{ ...provider, origin: "environment" }],
  models: [
    {
      alias: target.target.model,
      kind: "chat",
      strategy: "single",
      targets: [{ ...target, provider: provider.name, weight: 1 }],
      fallbackOn: FALLBACK_ON,
      answerMs,
      contextWindow: undefined,
      maxOutputTokens: undefined,
      createdAt: undefined
    }
  ],
  defaultModel: target.target.model
})
