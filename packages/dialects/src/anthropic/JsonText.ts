import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"

/** A value as JSON; undefined if it is nested too deeply for that. */
export const jsonOf = (value: Json): string | undefined =>
  Result.getOrUndefined(Result.try((): string => JSON.stringify(value)))

/** A parsed text; undefined if it is not JSON. */
export const parsedJson = (text: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

/** The name under which Anthropic lets invalid JSON be told: https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming */
const INVALID = "INVALID_JSON"

/**
 * The arguments of a call as the input of a `tool_use` block, which must be an object. Arguments that are none, as a model may write them,
 * are told as a text in an object.
 */
export const inputOf = (text: string): JsonObject => {
  if (text.trim() === "") return {}
  const value = parsedJson(text)
  return isJsonObject(value) ? value : { [INVALID]: text }
}
