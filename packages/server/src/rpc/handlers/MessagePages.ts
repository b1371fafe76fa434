import { MessagePage } from "@llm-saas/api/MessagesApi"
import { Effect, Schema } from "effect"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(MessagePage))

/** A page as calls answer it, from the JSON of the database. */
export const decodePage = (json: string) => Effect.orDie(decode(json))
