import { MockLayer } from "@llm-saas/llm/Mock"
import { Effect, Layer } from "effect"
import { Settings } from "./config/Settings.ts"

/** The model that answers, chosen by the settings alone. */
export const ModelLayer = Layer.unwrap(
  Effect.gen(function* () {
    const settings = yield* Settings
    if (settings.LLM_PROVIDER === "openai") return yield* openAi(settings)
    if (settings.APP_ENV === "production") yield* Effect.logWarning(NOT_A_MODEL)
    return MockLayer({
      tokens: settings.MOCK_TOKENS,
      ttftMs: settings.MOCK_TTFT_MS,
      delayMs: settings.MOCK_DELAY_MS,
      patienceMs: { firstToken: settings.LLM_FIRST_TOKEN_SECONDS * 1000, silence: settings.LLM_SILENCE_SECONDS * 1000 },
      wishes: settings.APP_ENV !== "production"
    })
  })
)

const NOT_A_MODEL =
  "THE ANSWERS ARE MADE UP: the mock model is in production. Set OPENAI_API_KEY or OPENAI_BASE_URL, or LLM_PROVIDER=openai, for a real one"

/** Loaded when needed: the client library costs 35 MB of memory and a fifth of a second at start. */
const openAi = (settings: Settings["Service"]) =>
  Effect.map(
    Effect.promise(() => import("@llm-saas/llm/OpenAi")),
    ({ OpenAiLayer }) =>
      OpenAiLayer({
        apiKey: settings.OPENAI_API_KEY,
        baseUrl: settings.OPENAI_BASE_URL,
        azureApiVersion: settings.OPENAI_API_VERSION,
        model: settings.LLM_MODEL,
        maxTokens: settings.LLM_MAX_TOKENS,
        temperature: settings.LLM_TEMPERATURE,
        proxies: { http: settings.HTTP_PROXY, https: settings.HTTPS_PROXY, none: settings.NO_PROXY },
        connectMs: settings.LLM_CONNECT_SECONDS * 1000,
        firstTokenMs: settings.LLM_FIRST_TOKEN_SECONDS * 1000,
        silenceMs: settings.LLM_SILENCE_SECONDS * 1000,
        answerMs: settings.LLM_ANSWER_SECONDS * 1000,
        retries: settings.LLM_RETRIES
      })
  )
