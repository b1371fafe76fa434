import { Context, Effect, Layer } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"

/** A running server with the mock model, and an API key of it: what a customer's program has. */
export class Keyed extends Context.Service<
  Keyed,
  { readonly key: string; readonly url: string; readonly token: string }
>()("test/Keyed") {
  static readonly layer = Layer.effect(
    Keyed,
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const { body } = yield* send("POST", "/keys", {
        token,
        json: { name: "sdk", scopes: ["chat", "embeddings", "messages:read"] }
      })
      return Keyed.of({ key: String(body["key"]), url: `http://127.0.0.1:${port}`, token })
    })
  ).pipe(Layer.provideMerge(Running.with({ MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" })))
}

/** A PNG of one red pixel, as base64. */
export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="

/** The arguments of the tool that tests offer. */
export const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false
} as const
