import type { BadTarget } from "./Target.ts"

/**
 * Names of our parameters in other APIs, in lower case and without separators. Offsets have no equivalent here: a page continues after
 * the last row that was read, so that no row is repeated or left out while others are added.
 */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    cursor: [
      "skip",
      "page",
      "pagenumber",
      "pagetoken",
      "nextcursor",
      "nextpage",
      "nextpagetoken",
      "nexttoken",
      "offset",
      "start",
      "startingafter",
      "startafter",
      "endingbefore",
      "after",
      "before",
      "from",
      "marker",
      "continuation",
      "continuationtoken"
    ],
    limit: [
      "perpage",
      "pagesize",
      "pagelimit",
      "size",
      "count",
      "take",
      "top",
      "first",
      "last",
      "max",
      "maxresults",
      "results"
    ],
    content: ["q", "query", "question", "prompt", "message", "text", "input"],
    conversation_id: ["conversation", "thread", "threadid", "chatid", "sessionid"],
    format: ["type", "output", "mode"],
    scope: ["all", "tenant", "owner"]
  }).flatMap(([name, others]) => others.map((other) => [other, name]))
)

const HOW: Readonly<Record<string, string>> = {
  cursor: ", with the next_cursor of the page before",
  limit: ", the rows of a page"
}

const MAX_ERRORS = 20

/**
 * Refuses query parameters that an endpoint does not have: if they were ignored, `skip` or `page` would always answer page one. `known`:
 * its parameters. Values are never repeated.
 */
export const unknownParameters = (target: string, known: ReadonlySet<string>): BadTarget | undefined => {
  const start = target.indexOf("?")
  if (start === -1) return undefined
  const unknown = [...new URLSearchParams(target.slice(start + 1)).keys()].filter((name) => !known.has(name))
  if (unknown.length === 0) return undefined
  return {
    code: "unknown_parameter",
    details: {
      errors: unknown.slice(0, MAX_ERRORS).map((name) => ({
        path: ["query", name.slice(0, 64)],
        message: meant(name, known)
      }))
    }
  }
}

const meant = (name: string, known: ReadonlySet<string>): string => {
  const plain = plainly(name)
  const right = [...known].find((each) => plainly(each) === plain) ?? ALIASES.get(plain)
  if (right !== undefined && known.has(right)) return `There is no such parameter: use ${right}${HOW[right] ?? ""}`
  if (known.size === 0) return "There is no such parameter: this address has none"
  return `There is no such parameter: there are ${[...known].join(", ")}`
}

const plainly = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/gu, "")
