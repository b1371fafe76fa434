import { randomUUID } from "node:crypto"
import type { Duplex } from "node:stream"
import type { Door } from "@llm-saas/api/v1/Door"
import { refusalBody, type RefusalCode, statusOf } from "./Refusals.ts"
import { told } from "./Telling.ts"

const { STATUS_CODES } = process.getBuiltinModule("node:http")

/** Milliseconds the client has to read the answer before the connection is cut. */
export const LINGER_MS = 500

/** Answers a request that Node could not parse, and ends the connection. Returns the fields for the log. */
export const refuseRaw = (
  socket: Duplex,
  code: RefusalCode,
  door: Door,
  headers: Readonly<Record<string, string>> = {}
): { readonly id: string; readonly status: number } => {
  const id = randomUUID()
  const { body, contentType, headers: own, status } = told(door, statusOf(code), refusalBody(code), id)
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`,
      `content-type: ${contentType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${id}`,
      ...(door === "anthropic" ? [`request-id: ${id}`] : []),
      "x-content-type-options: nosniff",
      "cache-control: no-store",
      ...Object.entries({ ...own, ...headers }).map(([name, value]) => `${name}: ${value}`),
      "connection: close",
      "",
      body
    ].join("\r\n")
  )
  // Further bytes are read and discarded: closing on unread bytes resets the connection, and the answer is lost.
  socket.on("error", () => {})
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once("close", () => clearTimeout(timer))
  return { id, status }
}
