import { Api } from "@llm-saas/api/Api"
import { estimatedTokens } from "@llm-saas/dialects/anthropic/InputEstimate"
import { messageAnswer } from "@llm-saas/dialects/anthropic/MessageAnswer"
import { decodeCount, decodeMessages } from "@llm-saas/dialects/anthropic/MessagesRequest"
import { messageWriter } from "@llm-saas/dialects/anthropic/MessageWriter"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { TokenCounts } from "@llm-saas/engine/generations/TokenCounts"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { answering, mistaken } from "../../v1/Answering.ts"
import { RequestBodies } from "../../v1/RequestBodies.ts"

const MESSAGES = { source: "anthropic.messages", writer: messageWriter, whole: messageAnswer } as const

/** What clients of Anthropic's API call. */
export const AnthropicHandlers = HttpApiBuilder.group(
  Api,
  "anthropic",
  Effect.fnUntraced(function* (handlers) {
    const answer = yield* answering
    const bodies = yield* RequestBodies
    const accounts = yield* Accounts
    const counts = yield* TokenCounts
    return handlers
      .handleRaw("messages", ({ headers, request: http }) =>
        bodies.read(http, (body) => {
          const decoded = decodeMessages(body, http.headers)
          return decoded.type === "mistake"
            ? Effect.succeed(mistaken(decoded.mistake))
            : answer(MESSAGES, { request: decoded.request, http, idempotencyKey: headers["idempotency-key"] })
        })
      )
      .handleRaw("countTokens", ({ request: http }) =>
        bodies.read(http, (body) => {
          const decoded = decodeCount(body, http.headers)
          return decoded.type === "mistake"
            ? Effect.succeed(mistaken(decoded.mistake))
            : // A token alone does not say whether its user may still enter.
              Effect.map(Effect.andThen(accounts.me, counts.count(decoded.request)), (counted) =>
                HttpServerResponse.jsonUnsafe({ input_tokens: counted ?? estimatedTokens(body) })
              )
        })
      )
  })
)
