import { type Configuration, FALLBACK_ON } from "@llm-saas/llm/routes/Configuration"
import type { Settings } from "../config/Settings.ts"
import { defaultsOf } from "./Defaults.ts"

/** The configuration without a PROVIDERS_FILE: one provider with one model, as LLM_PROVIDER, LLM_MODEL and OPENAI_* say. */
export const oneProvider = (settings: Settings["Service"]): Configuration => {
  const { answerMs, connectMs, firstTokenMs, proxies, retries, silenceMs, temperature } = defaultsOf(settings)
  const mock = settings.LLM_PROVIDER === "mock"
  const provider = settings.LLM_PROVIDER
  const model = mock ? "mock-1" : settings.LLM_MODEL
  const target = { model, maxOutputTokens: settings.LLM_MAX_TOKENS, temperature, connectMs, firstTokenMs, silenceMs }
  return {
    providers: [
      {
        name: provider,
        type: mock ? "mock" : settings.OPENAI_API_VERSION === undefined ? "openai" : "azure",
        baseUrl: mock ? undefined : settings.OPENAI_BASE_URL,
        apiVersion: mock ? undefined : settings.OPENAI_API_VERSION,
        headers: {},
        proxies,
        key: mock ? undefined : settings.OPENAI_API_KEY,
        keyPolicy: mock ? "installation" : "prefer_tenant"
      }
    ],
    models: [
      {
        alias: model,
        kind: "chat",
        strategy: "single",
        targets: [{ provider, target, weight: 1, retries }],
        fallbackOn: FALLBACK_ON,
        answerMs,
        contextWindow: undefined,
        maxOutputTokens: undefined,
        createdAt: undefined
      }
    ],
    defaultModel: model
  }
}
