import type { JsonObject } from "@llm-saas/domain/Json"
import { lineOf } from "../ServerSentEvent.ts"

/** One event. Clients of this dialect go by its name and its `type`. */
export const eventOf = (event: JsonObject): string =>
  `event: ${nameOf(event["type"])}\ndata: ${lineOf(JSON.stringify(event))}\n\n`

/** A provider's own type is a name only if it is one line. */
const nameOf = (type: unknown): string => (typeof type === "string" && /^[\w.-]{1,100}$/u.test(type) ? type : "message")
