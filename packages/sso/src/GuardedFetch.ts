import { type LookupAddress, lookup } from "node:dns"
import * as http from "node:http"
import * as https from "node:https"
import { isIP, type LookupFunction } from "node:net"
import type { CustomFetch } from "openid-client"
import { isPublic } from "./PublicNetwork.ts"

/** An address that is not asked: in a closed network, or without TLS. */
export class NotAllowed extends Error {}
/** No whole answer: no connection, too slow, too long. */
export class Unreachable extends Error {}

export interface FetchLimits {
  /** Whether addresses in private networks and without TLS are asked too, for providers of one's own and on the same machine. */
  readonly allowPrivate: boolean
  /** For a whole request. */
  readonly timeoutMs: number
  /** Longest answer. */
  readonly limitBytes: number
}

/** Statuses whose responses have no body (Fetch Standard, null body status). */
const BODYLESS: ReadonlySet<number> = new Set([101, 204, 205, 304])

/**
 * `fetch` for addresses that a tenant's admin chose. The check is at the address that is connected to, not at one that was looked up
 * before: a name may lead elsewhere the second time. No redirect is followed, no connection is shared, no environment is read.
 */
export const guardedFetch =
  ({ allowPrivate, limitBytes, timeoutMs }: FetchLimits): CustomFetch =>
  (address, { body, headers, method }) =>
    new Promise((resolve, reject) => {
      const url = new URL(address)
      const secure = url.protocol === "https:"
      const host = url.hostname.replace(/^\[|\]$/gu, "")
      const isClosed = !allowPrivate && (!secure || (isIP(host) !== 0 && !isPublic(host)))
      const text = textOf(body)
      if (isClosed || (!secure && url.protocol !== "http:") || text === undefined) return reject(new NotAllowed())
      const request = (secure ? https : http).request(url, {
        method,
        headers: { ...headers, "content-length": `${Buffer.byteLength(text)}`, "accept-encoding": "identity" },
        agent: false,
        lookup: allowPrivate ? lookup : guardedLookup
      })
      // Not the socket's time: a provider that sends a byte now and then would take as long as it wants.
      const timer = setTimeout(() => request.destroy(new Unreachable()), timeoutMs)
      request.on("error", (cause) => reject(cause instanceof NotAllowed ? cause : new Unreachable("", { cause })))
      request.on("close", () => {
        clearTimeout(timer)
        reject(new Unreachable())
      })
      request.on("response", (response) => {
        const parts: Array<Buffer> = []
        let length = 0
        response.on("data", (part: Buffer) => {
          length += part.length
          if (length > limitBytes) request.destroy(new Unreachable())
          else parts.push(part)
        })
        response.on("error", () => reject(new Unreachable()))
        response.on("end", () => {
          const status = response.statusCode ?? 0
          if (status < 200 || status > 599) return reject(new Unreachable())
          resolve(
            new Response(BODYLESS.has(status) ? null : Buffer.concat(parts), { status, headers: headersOf(response) })
          )
        })
      })
      request.end(text)
    })

const textOf = (body: unknown): string | undefined => {
  if (body === undefined || body === null) return ""
  return typeof body === "string" || body instanceof URLSearchParams ? body.toString() : undefined
}

const headersOf = (response: http.IncomingMessage): Headers => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.headers))
    for (const each of [value ?? []].flat()) headers.append(name, each)
  return headers
}

/** Gives only addresses that are public. A name that has none is refused. */
const guardedLookup: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (failed, addresses: Array<LookupAddress>) => {
    if (failed !== null) return callback(failed, "")
    const open = addresses.filter(({ address }) => isPublic(address))
    const [first] = open
    if (first === undefined) return callback(new NotAllowed(), "")
    if (options.all === true) return callback(null, open)
    callback(null, first.address, first.family)
  })
