import { Llm } from "@llm-saas/engine/Llm"
import { Effect, Layer } from "effect"
import { Settings } from "./Settings.ts"

/** The model that answers. */
export const ModelLayer = Layer.effect(
  Llm,
  Effect.map(Settings, ({ MOCK_DELAY_MS, MOCK_TOKENS, MOCK_TTFT_MS }) =>
    Llm.of({
      provider: "mock",
      model: "mock-1",
      generate: (prompt, emit) =>
        Effect.gen(function* () {
          const words = (prompt.at(-1)?.content ?? "").split(/\s+/u)
          if (MOCK_TTFT_MS > 0) yield* Effect.sleep(MOCK_TTFT_MS)
          for (let token = 0; token < MOCK_TOKENS; token++) {
            if (token > 0 && MOCK_DELAY_MS > 0) yield* Effect.sleep(MOCK_DELAY_MS)
            if (MOCK_DELAY_MS === 0 && token % 20 === 19) yield* Effect.yieldNow
            emit(`${words[token % words.length] ?? "word"} `)
          }
          return {
            finishReason: "stop" as const,
            usage: { input: words.length, output: MOCK_TOKENS },
            model: undefined
          }
        })
    })
  )
)
