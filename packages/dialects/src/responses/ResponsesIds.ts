import { answerId, generationIdOf } from "../AnswerId.ts"

/** The prefix of ids of responses. */
export const RESPONSE_ID = "resp_"

export const responseId = (generationId: string): string => answerId(RESPONSE_ID, generationId)

/** The generation of a response's id, or undefined. */
export const generationOf = (id: string): string | undefined => generationIdOf(RESPONSE_ID, id)

/** Prefixes of ids of items, as at OpenAI. Clients tell kinds of items apart by them. */
export type ItemPrefix = "msg_" | "rs_" | "fc_" | "fco_" | "ctc_" | "ctco_" | "item_"

/** Where an item is: in the answer's output, or in its request's input. */
export type Side = "output" | "input"

/** An item's id: the generation's digits, then one for the side, then its index. */
export const itemId = (prefix: ItemPrefix, generationId: string, side: Side, index: number): string =>
  `${answerId(prefix, generationId)}${side === "output" ? "0" : "1"}${index.toString(16).padStart(4, "0")}`

/** The place of an item of ours; undefined for ids of others. */
export const placeOf = (
  id: string
): { readonly generationId: string; readonly side: Side; readonly index: number } | undefined => {
  const found = /^([a-z]+_)([0-9a-f]{32})([01])([0-9a-f]{4,8})$/u.exec(id)
  if (found === null) return undefined
  const [, prefix = "", digits = "", side, index = ""] = found
  const generationId = generationIdOf(prefix, prefix + digits)
  return generationId === undefined
    ? undefined
    : { generationId, side: side === "0" ? "output" : "input", index: Number.parseInt(index, 16) }
}
