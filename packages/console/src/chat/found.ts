import type { Message, Page } from "@llm-saas/client"
import { client } from "../session/session.ts"

/** Messages that are enough for a page of findings, and requests after which one is told how far it is. */
const ENOUGH = 10
const MOST_REQUESTS = 20

/**
 * The user's own messages that have a text, newest first. The server looks at a part of the history with each request, and may find nothing
 * in it: it is asked on until there is a page of findings, or the history ends.
 */
export const findMessages = async (
  search: string,
  { cursor, signal }: { readonly cursor?: string; readonly signal: AbortSignal }
): Promise<Page<Message>> => {
  const data: Array<Message> = []
  let next = cursor
  for (let requests = 0; requests < MOST_REQUESTS; requests++) {
    const place = { search, limit: ENOUGH, ...(next === undefined ? {} : { cursor: next }) }
    const page = await client.messages.list(place, { signal })
    data.push(...page.data)
    if (page.next_cursor === null) return { data, next_cursor: null }
    next = page.next_cursor
    if (data.length >= ENOUGH) break
  }
  return { data, next_cursor: next ?? null }
}
