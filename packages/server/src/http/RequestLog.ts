import { Context } from "effect"
import { writeSync } from "node:fs"

/** What a request's line in the log knows of it; filled while it is served. */
export interface Entry {
  tenant?: string
  user?: string
}

/** The entry of the request being served. */
export const CurrentEntry = Context.Reference<Entry>("@llm-saas/server/http/CurrentEntry", { defaultValue: () => ({}) })

/** One line a request. `route` is the template: a path or a query may carry what nobody may log. */
export interface Line extends Entry {
  readonly request_id: string
  readonly method: string
  readonly route: string
  readonly status: number
  readonly duration_ms: number
}

let waiting: Array<string> = []

/** Lines of one turn of the event loop leave in one write: a write each would cost as much as a small request. */
export const write = (line: Line, json: boolean): void => {
  if (waiting.length === 0) setImmediate(flush)
  waiting.push(json ? asJson(line) : asText(line))
}

/** Writes what is waiting, also on the way out. */
export const flush = (): void => {
  if (waiting.length === 0) return
  const text = waiting.join("")
  waiting = []
  process.stdout.write(text)
}

process.on("exit", () => {
  if (waiting.length > 0) writeSync(1, waiting.join(""))
})

const asJson = (line: Line): string =>
  `${JSON.stringify({ time: new Date().toISOString(), level: line.status >= 500 ? "error" : "info", message: "request", ...line })}\n`

const asText = ({ duration_ms, method, request_id, route, status, tenant }: Line): string =>
  `${new Date().toISOString().slice(11, 23)} ${status} ${method.padEnd(6)} ${route} ${duration_ms.toFixed(1)} ms ${request_id}${tenant === undefined ? "" : ` tenant ${tenant}`}\n`
