import { MockLayer } from "@llm-saas/llm/Mock"
import { Effect, Layer } from "effect"
import { Settings } from "./Settings.ts"

/** The model that answers. */
export const ModelLayer = Layer.unwrap(
  Effect.map(Settings, ({ APP_ENV, MOCK_DELAY_MS, MOCK_TOKENS, MOCK_TTFT_MS }) =>
    MockLayer({ tokens: MOCK_TOKENS, ttft: MOCK_TTFT_MS, delay: MOCK_DELAY_MS, wishes: APP_ENV !== "production" })
  )
)
