import { session } from "../session/session.ts"

/**
 * What was written and not answered for yet, of each conversation of a user, until the tab is closed. `key`: it was sent with this
 * Idempotency-Key, and nothing came back; sent again with it, the model is not asked twice.
 */
export interface Draft {
  readonly text: string
  readonly key?: string
  /** It was sent when this message was the newest; empty: there was none. */
  readonly after?: string
}

const PREFIX = "llm-saas draft "
/** The draft of a conversation that has not begun. */
export const NEW = "new"

const nameOf = (conversation: string): string | undefined =>
  session.state.kind === "in" ? `${PREFIX}${session.state.profile.id} ${conversation}` : undefined

export const readDraft = (conversation: string): Draft => {
  const name = nameOf(conversation)
  if (name === undefined) return { text: "" }
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(name) ?? "{}")
    const text: unknown = Reflect.get(Object(kept), "text")
    const key: unknown = Reflect.get(Object(kept), "key")
    const after: unknown = Reflect.get(Object(kept), "after")
    return {
      text: typeof text === "string" ? text : "",
      ...(typeof key === "string" ? { key } : {}),
      ...(typeof after === "string" ? { after } : {})
    }
  } catch {
    return { text: "" }
  }
}

/** A browser that keeps nothing, or has no room, keeps no draft. */
export const writeDraft = (conversation: string, draft: Draft): void => {
  const name = nameOf(conversation)
  if (name === undefined) return
  try {
    if (draft.text === "") sessionStorage.removeItem(name)
    else sessionStorage.setItem(name, JSON.stringify(draft))
  } catch {
    // The text is still in the page.
  }
}

let wasIn = false

/** A logout removes the drafts. After a session that ended by itself they are still there for the same user. */
session.subscribe(() => {
  const { state } = session
  const left = wasIn && state.kind === "out" && state.reason === undefined
  wasIn = state.kind === "in"
  if (!left) return
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name)
  } catch {
    // Nothing is kept there.
  }
})
