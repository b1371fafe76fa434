/** A part of an answer that is rendered on its own: text in Markdown, or a block of code. */
export interface Block {
  readonly kind: "text" | "code"
  /** Of code: without its fences. */
  readonly text: string
  /** Of code: what its fence says it is, such as `ts`; empty: nothing. */
  readonly language: string
}

/** Characters after which a list is divided at its next item, so that the last block of a stream stays quick to render. */
const LONG = 4000
/** Blocks that are handed on together. */
const GROUP = 32

const FENCE = /^( {0,3})(`{3,}|~{3,})[ \t]*([^`]*)$/u
const NESTED_FENCE = /^\s*(?:`{3,}|~{3,})/u
const ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/u
const TOP_ITEM = /^(?:[-*+]|\d{1,9}[.)])(?:\s|$)/u

/**
 * Divides an answer into blocks while it comes: at blank lines outside of lists, and around fenced code. A block that is closed never changes
 * again, so that each frame of a stream has only the open one to render.
 */
export class BlockReader {
  /** Closed blocks, in groups of which all but the last never change. */
  readonly groups: Array<Array<Block>> = [[]]
  #lines = ""
  #partial = ""
  /** The open fence, if the open block is code. */
  #fence: { readonly mark: string; readonly language: string } | undefined
  #afterBlank = false
  #isList = false
  #inNestedFence = false

  /** More of the answer. */
  push(text: string): void {
    const lines = (this.#partial + text).split("\n")
    this.#partial = lines.pop() ?? ""
    for (const line of lines) this.#line(line)
  }

  /** The block that is not closed yet. */
  get open(): Block | undefined {
    return this.#block(this.#lines + this.#partial)
  }

  #block(text: string): Block | undefined {
    if (this.#fence !== undefined) return { kind: "code", language: this.#fence.language, text }
    return text.trim() === "" ? undefined : { kind: "text", language: "", text }
  }

  /** There is no more. */
  end(): void {
    if (this.#partial !== "") this.#line(this.#partial)
    this.#partial = ""
    this.#close()
  }

  #line(line: string): void {
    if (this.#fence !== undefined) {
      if (isClosing(line, this.#fence.mark)) this.#close()
      else this.#lines += `${line}\n`
      return
    }
    const [, indent = "", mark = "", about = ""] = FENCE.exec(line) ?? []
    const isWithin = this.#isList && (indent !== "" || this.#inNestedFence)
    if (mark !== "" && !isWithin && (mark.startsWith("`") || !about.startsWith("~"))) {
      this.#close()
      this.#fence = { mark, language: about.trim().split(/\s/u)[0] ?? "" }
      return
    }
    if (line.trim() === "") {
      this.#afterBlank = true
      if (this.#lines !== "") this.#lines += "\n"
      return
    }
    if (this.#afterBlank && !this.#goesOn(line)) this.#close()
    this.#afterBlank = false
    if (this.#lines === "") this.#isList = ITEM.test(line)
    if (this.#isList && NESTED_FENCE.test(line)) this.#inNestedFence = !this.#inNestedFence
    this.#lines += `${line}\n`
  }

  /** Whether a line after a blank one belongs to the open block: one of a list, or of code that is indented. */
  #goesOn(line: string): boolean {
    if (this.#inNestedFence) return true
    if (!this.#isList) return /^(?: {4}|\t)/u.test(line) && /^(?: {4}|\t)/u.test(this.#lines)
    if (TOP_ITEM.test(line)) return this.#lines.length < LONG
    return ITEM.test(line) || /^(?: {2}|\t)/u.test(line)
  }

  #close(): void {
    const closed = this.#block(this.#lines)
    this.#lines = ""
    this.#fence = undefined
    this.#afterBlank = false
    this.#isList = false
    this.#inNestedFence = false
    if (closed === undefined) return
    const last = this.groups.at(-1)
    if (last !== undefined && last.length < GROUP) last.push(closed)
    else this.groups.push([closed])
  }
}

const isClosing = (line: string, mark: string): boolean => {
  const text = line.trim()
  return text.length >= mark.length && /^ {0,3}\S/u.test(line) && [...text].every((character) => character === mark[0])
}

/** Characters above which a whole answer is one block, which is then shown as it is. */
const LONGEST = 200_000

/** A whole answer in blocks. */
export const blocksOf = (text: string): ReadonlyArray<ReadonlyArray<Block>> => {
  if (text.length > LONGEST) return [[{ kind: "text", language: "", text }]]
  const reader = new BlockReader()
  reader.push(text)
  reader.end()
  return reader.groups
}
