import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Effect } from "effect"
import type { HttpServerError, HttpServerRequest } from "effect/http"

/** Bodies up to this many bytes are read here. */
const SHORT_BYTES = 1_048_576

/**
 * A request's body, which nothing else may read. A short one that says its length is collected by two listeners, if it is not here already:
 * the edge has compared that length with the limit, and Node keeps to it. Effect's reader waits for the end of the stream with a dozen
 * listeners, and makes a fiber for each body: a twentieth of what a question costs.
 */
export const wholeBody = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<Buffer, HttpServerError.HttpServerError> =>
  Effect.suspend(() => {
    const other = Effect.map(request.arrayBuffer, (buffer) => Buffer.from(buffer))
    const { expect, "content-length": length, "transfer-encoding": coding } = request.headers
    const bytes = Number(length ?? "")
    if (length === undefined || expect !== undefined || coding !== undefined || !(bytes > 0 && bytes <= SHORT_BYTES))
      return other
    const body = NodeHttpServerRequest.toIncomingMessage(request)
    if (body.complete && body.readableLength === bytes) {
      const whole: unknown = body.read()
      if (Buffer.isBuffer(whole)) return Effect.succeed(whole)
    }
    if (body.destroyed || body.readableEnded) return other
    return Effect.callback((resume) => {
      const parts: Array<Buffer> = []
      const leave = () => body.off("data", more).off("end", end).off("close", cut).off("error", cut)
      const more = (part: Buffer) => void parts.push(part)
      const end = () => {
        leave()
        resume(Effect.succeed(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)))
      }
      // As Effect's reader says it.
      const cut = () => {
        leave()
        resume(other)
      }
      body.on("data", more).on("end", end).on("close", cut).on("error", cut)
      return Effect.sync(leave)
    })
  })
