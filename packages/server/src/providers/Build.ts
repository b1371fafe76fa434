import * as Mock from "@llm-saas/llm/Mock"
import type { ProviderSettings } from "@llm-saas/llm/routes/Configuration"
import type { Build } from "@llm-saas/llm/routes/Live"
import { Effect } from "effect"
import type { Settings } from "../config/Settings.ts"

/** Makes the providers of a configuration. */
export const builder =
  (settings: Settings["Service"]): Build =>
  (provider) => {
    switch (provider.type) {
      case "mock":
        return Effect.succeed(Mock.make(provider.name, mockOptions(settings)))
      case "openai":
      case "azure":
        return openAi(provider)
      case "anthropic":
        return anthropic(provider)
    }
  }

const mockOptions = (settings: Settings["Service"]): Mock.MockOptions => ({
  tokens: settings.MOCK_TOKENS,
  ttftMs: settings.MOCK_TTFT_MS,
  delayMs: settings.MOCK_DELAY_MS,
  patienceMs: { firstToken: settings.LLM_FIRST_TOKEN_SECONDS * 1000, silence: settings.LLM_SILENCE_SECONDS * 1000 },
  wishes: settings.APP_ENV !== "production"
})

/** Loaded when needed: what no provider uses costs neither memory nor time at start. */
const openAi = (provider: ProviderSettings) =>
  Effect.flatMap(
    Effect.promise(() => import("@llm-saas/llm/OpenAi")),
    ({ make }) => make(provider)
  )

const anthropic = (provider: ProviderSettings) =>
  Effect.flatMap(
    Effect.promise(() => import("@llm-saas/llm/anthropic/Anthropic")),
    ({ make }) => make(provider)
  )
