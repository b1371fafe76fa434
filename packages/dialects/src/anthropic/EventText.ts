import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { isList } from "../RequestFields.ts"

/** The text that an event adds to a block, if it is such an event. */
export const deltaText = (event: unknown): string | undefined => {
  if (!isJsonObject(event) || event["type"] !== "content_block_delta") return undefined
  const { delta } = event
  return isJsonObject(delta) && delta["type"] === "text_delta" && typeof delta["text"] === "string"
    ? delta["text"]
    : undefined
}

/** The text that a block begins with, which is empty at Anthropic. */
export const startText = ({ content_block: block, type }: JsonObject): string =>
  type === "content_block_start" ? blockText(block) : ""

/** The visible text of a whole message. */
export const messageText = ({ content }: JsonObject): string => (isList(content) ? content.map(blockText).join("") : "")

const blockText = (block: Json | undefined): string =>
  isJsonObject(block) && block["type"] === "text" && typeof block["text"] === "string" ? block["text"] : ""
