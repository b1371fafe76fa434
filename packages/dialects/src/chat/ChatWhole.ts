import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { isEvent, pieceOf } from "@llm-saas/domain/ModelEvent"
import { answerId } from "../AnswerId.ts"
import type { AnswerHead, WholeAnswer } from "../AnswerWriter.ts"
import { isList } from "../RequestFields.ts"
import { type ChatDelta, ChatDeltas, deltasIn, isLegacy } from "./ChatDelta.ts"
import { CHAT_ID, finishWord, isWhole } from "./ChatWriter.ts"
import { known } from "./ChatTools.ts"
import { chatUsageOf } from "./ChatUsage.ts"

/** An answer as one chat completion. One that is the provider's own body is returned as it came, with our id. */
export const chatWhole: WholeAnswer = (head, entries, { finishReason, model, usage }) => {
  const { choices, whole } = collected(head, entries)
  const id = answerId(CHAT_ID, head.generationId)
  if (whole !== undefined) return { ...whole, id }
  const legacy = isLegacy(head.request)
  return {
    id,
    object: "chat.completion",
    created: head.createdAt,
    model: model ?? head.model,
    choices: [...choices.entries()]
      .toSorted(([one], [other]) => one - other)
      .map(([index, choice]) => ({
        index,
        message: choice.message(),
        logprobs: null,
        finish_reason: finishWord(choice.finish ?? (index === 0 ? finishReason : "stop"), choice.called, legacy)
      })),
    ...(usage === undefined ? {} : { usage: chatUsageOf(usage) })
  }
}

interface Collected {
  readonly choices: ReadonlyMap<number, Choice>
  /** The provider's own body. */
  readonly whole: JsonObject | undefined
}

const collected = (head: AnswerHead, entries: ReadonlyArray<string>): Collected => {
  const choices = new Map([[0, new Choice()]])
  const deltas = new ChatDeltas(isLegacy(head.request))
  const add = ({ choice: index, delta, finish }: ChatDelta) => {
    const choice = choices.get(index) ?? new Choice()
    choices.set(index, choice)
    choice.add(delta)
    if (finish !== undefined) choice.finish = finish
  }
  for (const entry of entries) {
    const piece = isEvent(entry) ? pieceOf(entry) : entry
    if (typeof piece === "string") {
      deltas.text()
      add({ choice: 0, delta: { content: piece } })
    } else if (piece.type === "raw" && piece.dialect === "chat") {
      if (isWhole(piece.event)) return { choices, whole: piece.event }
      for (const delta of deltasIn(piece.event)) add(delta)
    } else {
      const delta = deltas.of(piece)
      if (delta !== undefined) add(delta)
    }
  }
  return { choices, whole: undefined }
}

interface Call {
  readonly head: JsonObject
  readonly name: string
  readonly custom: boolean
  text: string
}

/** One choice, put together from its deltas. */
class Choice {
  readonly #texts = new Map<string, string>()
  readonly #lists = new Map<string, Array<Json>>()
  readonly #calls = new Map<number, Call>()
  #legacy: { name: string; arguments: string } | undefined = undefined
  #audio: JsonObject | undefined = undefined
  finish: string | undefined = undefined

  get called(): boolean {
    return this.#calls.size > 0 || this.#legacy !== undefined
  }

  add(delta: JsonObject): void {
    for (const [name, value] of Object.entries(delta)) {
      if (name === "role" || value === undefined || value === null) continue
      if (name === "tool_calls" && isList(value)) for (const call of value) this.#call(call)
      else if (name === "function_call" && isJsonObject(value)) this.#function(value)
      else if (name === "audio" && isJsonObject(value)) this.#audio = joined(this.#audio ?? {}, value)
      else if (typeof value === "string") this.#texts.set(name, (this.#texts.get(name) ?? "") + value)
      else if (isList(value)) this.#list(name, value)
    }
  }

  message(): JsonObject {
    const content = this.#texts.get("content") ?? ""
    const others = [...this.#texts].filter(([name]) => name !== "content" && name !== "refusal")
    const calls = [...this.#calls.entries()].toSorted(([one], [other]) => one - other).map(([, call]) => callOf(call))
    const refusal = this.#texts.get("refusal")
    return known({
      role: "assistant",
      content: content === "" && (this.called || refusal !== undefined || this.#audio !== undefined) ? null : content,
      refusal: refusal ?? null,
      ...Object.fromEntries(others),
      ...Object.fromEntries(this.#lists),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      function_call: this.#legacy === undefined ? undefined : { ...this.#legacy },
      audio: this.#audio
    })
  }

  #list(name: string, more: ReadonlyArray<Json>): void {
    const list = this.#lists.get(name)
    if (list === undefined) this.#lists.set(name, [...more])
    else for (const each of more) list.push(each)
  }

  #call(value: Json): void {
    if (!isJsonObject(value)) return
    const { custom, function: called, index, ...rest } = value
    const place = typeof index === "number" ? index : this.#calls.size
    const said = isJsonObject(custom) ? custom : isJsonObject(called) ? called : {}
    const text = said[isJsonObject(custom) ? "input" : "arguments"]
    const more = typeof text === "string" ? text : ""
    const before = this.#calls.get(place)
    if (before !== undefined) before.text += more
    else {
      const name = typeof said["name"] === "string" ? said["name"] : ""
      this.#calls.set(place, { head: rest, name, custom: isJsonObject(custom), text: more })
    }
  }

  #function({ arguments: text, name }: JsonObject): void {
    this.#legacy ??= { name: "", arguments: "" }
    if (typeof name === "string") this.#legacy.name += name
    if (typeof text === "string") this.#legacy.arguments += text
  }
}

const callOf = ({ custom, head, name, text }: Call): JsonObject => ({
  ...head,
  ...(custom
    ? { type: "custom", custom: { name, input: text } }
    : { type: "function", function: { name, arguments: text } })
})

/** Audio in parts: its data and transcript grow, its other members are said once. */
const joined = (before: JsonObject, more: JsonObject): JsonObject => {
  const grown = (name: string) => {
    const [one, other] = [before[name], more[name]]
    return typeof one === "string" && typeof other === "string" ? one + other : (other ?? one)
  }
  return known({ ...before, ...more, data: grown("data"), transcript: grown("transcript") })
}
