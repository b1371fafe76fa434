import { wallMillis } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer } from "effect"
import type { Exchange } from "../http/Exchange.ts"
import { LogLines } from "./LogLines.ts"
import { LogOptions } from "./LogOptions.ts"
import { paint } from "./AnsiColour.ts"
import { counted } from "../metrics/RequestMetrics.ts"
import type { RequestRecord } from "./RequestRecord.ts"

/** A request that Node's parser or timeouts refused. */
export interface Refused {
  readonly id: string
  readonly status: number
  readonly client: string
}

/**
 * Writes one line per request, by hand: a general logger costs more than a small endpoint. It has the user and the route, never the path
 * or the query, which may contain secrets.
 */
export class RequestLines extends Context.Service<
  RequestLines,
  {
    readonly ended: (exchange: Exchange) => void
    readonly refused: (refused: Refused) => void
    /** Logs one of the calls that a request or a connection carried; `duration` is in ms. */
    readonly called: (call: RequestRecord, status: number, duration: number) => void
  }
>()("@llm-saas/server/logging/RequestLines") {
  static readonly layer = Layer.effect(
    RequestLines,
    Effect.gen(function* () {
      const { write } = yield* LogLines
      const { colour, format, level } = yield* LogOptions
      const now = printed(yield* Clock.Clock)
      const line = format === "json" ? asJson : asText(colour)
      const least = QUIET[level] ?? 0
      const quietProbes = !VERBOSE.has(level)
      const log = (entry: Line) => {
        if (entry.status < least || (quietProbes && entry.status < 400 && PROBES.has(entry.route))) return
        write(line(now(), entry))
      }
      return RequestLines.of({
        ended: (exchange) => {
          const duration = performance.now() - exchange.startedAt
          counted(exchange.req.method ?? "-", exchange.route, exchange.outcome, duration)
          if (exchange.calls > 0 && exchange.outcome < 400 && exchange.outcome !== 101) return
          log({
            id: exchange.id,
            tenant: exchange.tenant,
            user: exchange.user,
            method: exchange.req.method ?? "-",
            route: exchange.route,
            status: exchange.outcome,
            duration,
            client: exchange.client
          })
        },
        called: ({ client, id, route, tenant, user }, status, duration) => {
          counted("RPC", route, status, duration)
          log({ id, tenant, user, method: "RPC", route, status, duration, client })
        },
        refused: ({ client, id, status }) =>
          log({ id, tenant: undefined, user: undefined, method: "-", route: "-", status, duration: 0, client })
      })
    })
  )
}

interface Line {
  readonly id: string
  readonly tenant: string | undefined
  readonly user: string | undefined
  readonly method: string
  readonly route: string
  readonly status: number
  readonly duration: number
  readonly client: string
}

/** The least status that is still logged. A request has level info; one that we failed is an error. */
const QUIET: Readonly<Record<string, number>> = { Warn: 500, Error: 500, Fatal: 1000, None: 1000 }

/** Probed every few seconds by orchestrators and load balancers; logged from `debug` on, or when they fail. */
const PROBES: ReadonlySet<string> = new Set(["/health", "/ready"])
const VERBOSE: ReadonlySet<string> = new Set(["All", "Trace", "Debug"])

/** The time in ISO 8601, printed once per millisecond: under load many lines share one. */
const printed = (clock: Clock.Clock) => {
  let last = 0
  let text = ""
  return () => {
    const now = Math.floor(wallMillis(clock))
    if (now !== last) {
      last = now
      text = new Date(now).toISOString()
    }
    return text
  }
}

// Needs no escaping: ids are checked, and methods and addresses are Node's.
const asJson = (time: string, { client, duration, id, method, route, status, tenant, user }: Line): string =>
  `{"time":"${time}","level":"${status >= 500 ? "error" : "info"}","message":"request","request_id":"${id}"${
    tenant === undefined ? "" : `,"tenant":${JSON.stringify(tenant)}`
  }${user === undefined ? "" : `,"user":${JSON.stringify(user)}`},"method":"${method}","route":"${route}","status":${status},"duration_ms":${
    Math.round(duration * 100) / 100
  },"client":"${client}"}\n`

const asText =
  (colour: boolean) =>
  (time: string, { duration, id, method, route, status, tenant, user }: Line): string => {
    const who = tenant === undefined ? "" : ` tenant=${tenant} user=${user ?? "-"}`
    const style = status >= 500 ? "error" : status >= 400 ? "warning" : "info"
    return `${paint(colour, "dim", time.slice(11, 23))} ${paint(colour, style, `${status}`)} ${method.padEnd(6)} ${route} ${duration.toFixed(1)} ms ${paint(
      colour,
      "dim",
      `request_id=${id}${who}`
    )}\n`
  }
