import { MessagesRpc } from "@llm-saas/api/MessagesRpc"
import type { QuestionBody } from "@llm-saas/domain/Question"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { Effect } from "effect"
import type { Headers } from "effect/http"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { listed } from "../../http/handlers/messages.ts"
import { noSuchCalls, questionOf } from "../../http/handlers/question.ts"
import { reading } from "./Events.ts"
import { decodePage } from "./MessagePages.ts"

type Asked = QuestionBody & { readonly idempotency_key?: string | undefined }

/** `messages.…`. */
export const MessagesCalls = MessagesRpc.toLayer(
  Effect.gen(function* () {
    const generations = yield* Generations
    const messages = yield* Messages
    const feedbacks = yield* Feedbacks
    const attempts = yield* CreationAttempts

    const ask = ({ idempotency_key, ...question }: Asked, headers: Headers.Headers) =>
      generations
        .ask(
          questionOf({
            question,
            source: "rpc",
            idempotencyKey: idempotency_key,
            traceparent: headers["traceparent"]
          })
        )
        // Only POST /messages reports that it still runs: calls join the running answer.
        .pipe(Effect.catchTags({ OtherCalls: noSuchCalls, StillRunning: Effect.die }))

    return MessagesRpc.of({
      "messages.ask": (question, { headers }) => Effect.flatMap(ask(question, headers), generations.answer),
      "messages.stream": ({ resume, ...question }, { headers }) =>
        resume === undefined
          ? reading(ask(question, headers), { seq: 0, path: [] })
          : reading(generations.follow(resume.generation_id), { seq: resume.seq, path: ["payload", "resume", "seq"] }),
      "messages.list": (query) => Effect.flatMap(listed(messages, query), decodePage),
      "messages.get": ({ id }) => messages.get(id),
      "messages.remove": ({ id }) => messages.remove(id),
      "messages.feedback": ({ comment = null, id, idempotency_key, rating }) =>
        feedbacks.give(
          id,
          { rating, comment },
          attempts.of("messages.feedback", idempotency_key, [id.toLowerCase(), rating, comment])
        )
    })
  })
)
