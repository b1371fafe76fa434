import { queries } from "../queries.ts"
import { session } from "../session/session.ts"
import { Thread } from "./Thread.ts"

/** The lists of conversations that pages show. */
export const CONVERSATIONS = ["conversations"]

const open = new Map<string, Thread>()

/** A conversation's messages, read once for as long as a page shows them or an answer is under way. */
export const threadOf = (conversation: string): Thread => {
  const known = open.get(conversation)
  if (known !== undefined) return known
  // Those that no one needs are read anew when they are opened again: other tabs and programs ask too.
  for (const [id, thread] of open) if (thread.isIdle) open.delete(id)
  const thread = new Thread(conversation, () => {
    void queries.invalidateQueries({ queryKey: CONVERSATIONS })
    void queries.invalidateQueries({ queryKey: [...CONVERSATION, conversation] })
  })
  open.set(conversation, thread)
  return thread
}

/** One conversation. */
export const CONVERSATION = ["conversation"]

/** It does not exist any more. */
export const forgetThread = (conversation: string): void => {
  open.get(conversation)?.close()
  open.delete(conversation)
}

session.subscribe(() => {
  if (session.state.kind === "in") return
  for (const thread of open.values()) thread.close()
  open.clear()
})
