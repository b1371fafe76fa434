import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"
import { isList } from "../RequestFields.ts"
import { lineOf } from "../ServerSentEvent.ts"
import type { Shape } from "../Shape.ts"

/** Texts as chunks of the provider's own form, with our id. */
export class ShapedTexts {
  readonly #before: string
  readonly #after: string

  constructor({ after, before }: Shape, id: string) {
    const event = parsed(`${before}""${after}`)
    const parts = event === undefined ? [] : around(event, id)
    // A shape is only stored if this can be read; otherwise the chunk is at least one of text.
    const [first, second] = parts.length === 2 ? parts : [`{"choices":[{"index":0,"delta":{"content":`, "}}]}"]
    this.#before = `data: ${first ?? ""}`
    this.#after = `${second ?? ""}\n\n`
  }

  /** The event that adds this text. */
  frame(text: string): string {
    return this.#before + lineOf(JSON.stringify(text)) + this.#after
  }
}

const parsed = (text: string): JsonObject | undefined => {
  const value = Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  return isJsonObject(value) ? value : undefined
}

/** The event in JSON before and after its text. */
const around = (event: JsonObject, id: string): ReadonlyArray<string> => {
  const { choices } = event
  if (!isList(choices)) return []
  const [choice] = choices
  if (!isJsonObject(choice) || !isJsonObject(choice["delta"])) return []
  const held = {
    ...event,
    ...("id" in event ? { id } : {}),
    choices: [{ ...choice, delta: { ...choice["delta"], content: HOLE } }]
  }
  return lineOf(JSON.stringify(held)).split(JSON.stringify(HOLE))
}

/** The text of a chunk that may be all that it adds. */
export const chunkText = (event: unknown): string | undefined => {
  if (!isJsonObject(event) || !isList(event["choices"]) || event["choices"].length !== 1) return undefined
  const [choice] = event["choices"]
  if (!isJsonObject(choice) || !isJsonObject(choice["delta"])) return undefined
  const { content } = choice["delta"]
  return typeof content === "string" ? content : undefined
}

/** Stands for the text. Its control characters keep it from being a member's own text. */
const HOLE = "\u0001\u0002text\u0002\u0001"
