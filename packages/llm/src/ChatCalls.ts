import type { ModelEvent } from "@llm-saas/domain/ModelEvent"
import { Predicate } from "effect"

/** One call of a tool, as far as it was read. */
interface Call {
  readonly number: number
  id: string | undefined
  name: string | undefined
  custom: boolean
  /** Whether it was emitted: its name is known. */
  begun: boolean
  /** The arguments so far. */
  text: string
}

type ToolCall = Extract<ModelEvent, { readonly type: "tool_call" }>

/**
 * The calls of tools in one choice. Servers differ: some send no index, the same index for all calls, the id or name with every piece, the
 * arguments as an object, or all of them once more at the end.
 */
export class ChatCalls {
  readonly #emit: (call: Omit<ToolCall, "choice">) => void
  readonly #newId: () => string
  readonly #byIndex = new Map<number, Call>()
  readonly #byId = new Map<string, Call>()
  #last: Call | undefined = undefined
  #legacy: Call | undefined = undefined
  #count = 0
  /** Whether a call was emitted. */
  any = false

  /** `newId`: the id of a call that has none. */
  constructor(emit: (call: Omit<ToolCall, "choice">) => void, newId: () => string) {
    this.#emit = emit
    this.#newId = newId
  }

  /** Reads `tool_calls`. */
  read(calls: unknown): void {
    if (Array.isArray(calls)) for (const call of calls) this.#one(call)
    else this.#one(calls)
  }

  /** Reads `function_call`, which is one call without id. */
  readLegacy(call: unknown): void {
    if (!Predicate.isObject(call)) return
    this.#legacy ??= this.#begin(undefined, undefined)
    this.#more(this.#legacy, call)
  }

  #one(value: unknown): void {
    if (!Predicate.isObject(value)) return
    const fields: Record<PropertyKey, unknown> = value
    const { custom, function: called, id, index } = fields
    const isCustom = fields["type"] === "custom" || Predicate.isObject(custom)
    const said = Predicate.isObject(called) ? called : Predicate.isObject(custom) ? custom : fields
    const place = typeof index === "number" ? index : undefined
    const call = this.#find(place, textOf(id), said)
    if (isCustom) call.custom = true
    this.#more(call, said)
  }

  /** The call that a piece belongs to. */
  #find(index: number | undefined, id: string | undefined, said: Record<PropertyKey, unknown>): Call {
    const placed = index === undefined ? undefined : this.#byIndex.get(index)
    const named = id === undefined ? undefined : this.#byId.get(id)
    const name = textOf(said["name"])
    if (placed !== undefined) {
      const isOther = id !== undefined && placed.id !== undefined && placed.id !== id && name !== undefined
      if (!isOther) {
        this.#identify(placed, id)
        return placed
      }
    }
    if (named !== undefined) return named
    const last = this.#last
    if (index === undefined && id === undefined && last !== undefined && (name === undefined || isPart(last, name)))
      return last
    return this.#begin(index, id)
  }

  #begin(index: number | undefined, id: string | undefined): Call {
    const call: Call = { number: this.#count++, id: undefined, name: undefined, custom: false, begun: false, text: "" }
    if (index !== undefined) this.#byIndex.set(index, call)
    this.#identify(call, id)
    this.#last = call
    return call
  }

  #identify(call: Call, id: string | undefined): void {
    if (id === undefined || call.id !== undefined) return
    call.id = id
    this.#byId.set(id, call)
  }

  #more(call: Call, said: Record<PropertyKey, unknown>): void {
    const text = argumentsOf(call.custom ? (said["input"] ?? said["arguments"]) : said["arguments"])
    this.#last = call
    call.name ??= textOf(said["name"])
    if (isRepeated(call, text)) return
    call.text += text
    const kind = call.custom ? { custom: true } : {}
    if (call.begun) {
      if (text !== "") this.#emit({ type: "tool_call", call: call.number, arguments: text, ...kind })
    } else if (call.name !== undefined) {
      call.begun = true
      this.any = true
      call.id ??= this.#newId()
      const { id, name, number } = call
      this.#emit({ type: "tool_call", call: number, id, name, arguments: call.text, ...kind })
    }
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const argumentsOf = (value: unknown): string => {
  if (typeof value === "string") return value
  return Predicate.isObject(value) ? JSON.stringify(value) : ""
}

/** Whether a piece with this name, but no id and index, continues the call: its arguments are not whole yet. */
const isPart = ({ name, text }: Call, next: string): boolean => name === next && text !== "" && !/\}\s*$/u.test(text)

/** Whether the arguments come once more, all at once. Two objects in a row would be no JSON. */
const isRepeated = ({ begun, text }: Call, again: string): boolean =>
  begun
  && again.length > 1
  && again.length === text.length
  && again.startsWith("{")
  && again.endsWith("}")
  && again === text
