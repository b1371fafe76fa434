import { Question as QuestionSchema } from "@llm-saas/api/MessagesApi"
import type { InvalidRequest } from "@llm-saas/api/Failures"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { QuestionBody } from "@llm-saas/domain/Question"
import { askedOf } from "@llm-saas/domain/QuestionRequest"
import type { OtherCalls, Question } from "@llm-saas/engine/generations/QuestionStore"
import { Effect, Schema } from "effect"
import { invalid } from "../Decoding.ts"
import { schemaIssuesOf } from "../SchemaIssues.ts"

/** A question and what its request says beside it. */
interface Sent extends Pick<Question, "source" | "idempotencyKey" | "traceparent"> {
  readonly question: QuestionBody
}

/** A question as the engine takes it. */
export const questionOf = ({ question, ...request }: Sent): Question => {
  const conversationId: ConversationId | undefined = question.conversation_id ?? undefined
  return { ...request, ...askedOf(question), conversationId }
}

const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(QuestionSchema))

/** The question in a body. */
export const decodeQuestion = (body: JsonObject): Effect.Effect<QuestionBody, InvalidRequest> =>
  Effect.mapError(decode(body), ({ issue }) => invalid(schemaIssuesOf(issue, "payload")))

/** The refusal of results for other calls than those of the answer before. */
export const noSuchCalls = (_: OtherCalls): Effect.Effect<never, InvalidRequest> =>
  Effect.fail(
    invalid([
      {
        path: ["payload", "tool_results"],
        message: "Expected a result for each call of the conversation's last answer, and no others"
      }
    ])
  )
