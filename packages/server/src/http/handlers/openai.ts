import { Api } from "@llm-saas/api/Api"
import { decodeEmbeddings, embeddingsAnswer } from "@llm-saas/dialects/Embeddings"
import { decodeChat } from "@llm-saas/dialects/chat/ChatRequest"
import { chatWhole } from "@llm-saas/dialects/chat/ChatWhole"
import { chatWriter } from "@llm-saas/dialects/chat/ChatWriter"
import { Actor } from "@llm-saas/domain/Actor"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { ModelNotFound } from "@llm-saas/domain/Model"
import { HttpApiBuilder } from "effect/http-api"
import { answering, json, mistaken, orRefused } from "../../v1/Answering.ts"
import { responding } from "../../v1/Responding.ts"
import { modelList, modelsFor, oneModel } from "../../v1/ModelList.ts"
import { RequestBodies } from "../../v1/RequestBodies.ts"
import { exchangeOf, noting } from "../HttpEdge.ts"

const CHAT = { source: "chat.completions", writer: chatWriter, whole: chatWhole } as const

/** What clients of OpenAI's API call. */
export const OpenAiHandlers = HttpApiBuilder.group(
  Api,
  "openai",
  Effect.fnUntraced(function* (handlers) {
    const answer = yield* answering
    const respond = yield* responding
    const bodies = yield* RequestBodies
    const accounts = yield* Accounts
    const generations = yield* Generations
    const llm = yield* Llm

    /** The models that the caller may ask. A token alone does not say whether its user may still enter. */
    const models = Effect.gen(function* () {
      const { key } = yield* Actor
      yield* accounts.me
      return modelsFor(llm.models(), key)
    })

    return handlers
      .handleRaw("chat", ({ headers, request: http }) =>
        bodies.read(http, (body) => {
          const decoded = decodeChat(body)
          switch (decoded.type) {
            case "request":
              return answer(CHAT, { request: decoded.request, http, idempotencyKey: headers["idempotency-key"] })
            case "mistake":
              return Effect.succeed(mistaken(decoded.mistake))
            // Cursor sends these here.
            case "responses":
              return respond(body, { http, idempotencyKey: headers["idempotency-key"] })
          }
        })
      )
      .handleRaw("embeddings", ({ request: http }) =>
        bodies.read(http, (body) => {
          const decoded = decodeEmbeddings(body)
          return decoded.type === "mistake"
            ? Effect.succeed(mistaken(decoded.mistake))
            : Effect.flatMap(generations.embed(decoded.request, http.headers["traceparent"]), ({ asked, vectors }) =>
                orRefused(
                  asked,
                  Effect.map(Effect.andThen(noting(http)(asked), vectors), (found) =>
                    json(embeddingsAnswer(decoded.request, found), { "x-generation-id": asked.generationId })
                  )
                )
              )
        })
      )
      .handleRaw("models", ({ request }) =>
        Effect.map(models, (found) => json(modelList(doorOf(request), found, queryOf(request))))
      )
      .handleRaw("model", ({ params, request }) =>
        Effect.flatMap(models, (found) => {
          const model = found.find(({ id }) => id === params.id)
          return model === undefined
            ? Effect.fail(new ModelNotFound({ model: params.id }))
            : Effect.succeed(json(oneModel(doorOf(request), model)))
        })
      )
  })
)

const doorOf = (request: HttpServerRequest.HttpServerRequest) => exchangeOf(request)?.door ?? "openai"

const queryOf = ({ url }: HttpServerRequest.HttpServerRequest) => new URLSearchParams(url.split("?")[1])
