import { attach, type Attached, refusalOf } from "./attachments.ts"
import { type Draft, readDraft, writeDraft } from "./Drafts.ts"
import type { Asking } from "./LiveAnswer.ts"

export interface ComposerState {
  readonly text: string
  readonly files: ReadonlyArray<Attached>
  /** Why chosen files are not among them. */
  readonly refused: ReadonlyArray<string>
}

/** What is being written in a conversation: its text, which the tab keeps until it is sent, and its files, which it does not. */
export class Composer {
  state: ComposerState
  /** The text and files were sent with it, and it is not known whether they arrived. */
  #key: string | undefined
  #focus = () => {}
  readonly #conversation: string
  readonly #listeners = new Set<() => void>()

  constructor(conversation: string) {
    this.#conversation = conversation
    const { key, text } = readDraft(conversation)
    this.state = { text, files: [], refused: [] }
    this.#key = key
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How its input is focused: now, and when something comes back to it. */
  attach(focus: () => void): () => void {
    this.#focus = focus
    focus()
    return () => {
      this.#focus = () => {}
    }
  }

  readonly write = (text: string): void => {
    this.#become({ text })
    this.#keep({ text })
  }

  readonly add = async (chosen: ReadonlyArray<File>): Promise<void> => {
    const refused: Array<string> = []
    for (const file of chosen) {
      const refusal = refusalOf(file, this.state.files)
      const added = refusal === undefined ? await attach(file).catch(() => undefined) : undefined
      if (added === undefined) refused.push(refusal ?? `${file.name} could not be read.`)
      else this.#become({ files: [...this.state.files, added] })
    }
    this.#become({ refused })
  }

  readonly remove = (file: Attached): void => {
    this.#become({ files: this.state.files.filter((each) => each !== file) })
  }

  /** What is sent now. The composer is empty then; the tab keeps the text until the server has it. */
  readonly take = (): Asking | undefined => {
    const { files, text } = this.state
    if (text.trim() === "") return undefined
    const asking = { content: text, files, key: this.#key ?? newKey() }
    this.#become({ text: "", files: [], refused: [] })
    return asking
  }

  /** A question comes back, before what was written since. `isSame`: the server may have got it, and asked again it is the same question. */
  readonly giveBack = ({ content, files, key }: Asking, isSame: boolean): void => {
    const { files: since, text } = this.state
    const isAlone = text === "" || text === content
    this.#become({ text: isAlone ? content : `${content}\n\n${text}`, files: [...files, ...since] })
    if (isAlone && isSame) this.#key = key
    this.#keep({ text: this.state.text, ...(isAlone && isSame && files.length === 0 ? { key } : {}) })
    this.#focus()
  }

  #keep(draft: Draft): void {
    writeDraft(this.#conversation, draft)
  }

  #become(change: Partial<ComposerState>): void {
    // With another text or other files it is another question.
    if (change.text !== undefined || change.files !== undefined) this.#key = undefined
    this.state = { ...this.state, ...change }
    for (const listener of this.#listeners) listener()
  }
}

/** An Idempotency-Key. Pages over plain HTTP have no `randomUUID`. */
export const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-")
