import { Effect, Result } from "effect"
import type { HttpServerError, HttpServerRequest } from "effect/http"
import { isUtf8 } from "node:buffer"
import type { BadTarget } from "./Target.ts"

/** JSON nested deeper than this is refused: none of our bodies is, and a recursive reader would overflow its stack. */
export const MAX_DEPTH = 64

/**
 * Checks a request's body as bytes, within its size limit, before it is decoded: a decoder would silently replace invalid UTF-8. The body
 * is kept, so the handler's decoder does not read it again. Fails as reading the body fails.
 */
export const checkBody = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<BadTarget | undefined, HttpServerError.HttpServerError> =>
  Effect.map(request.arrayBuffer, (buffer) => checkBytes(request, Buffer.from(buffer)))

/** As {@link checkBody}, for a body that was read. */
export const checkBytes = (request: HttpServerRequest.HttpServerRequest, bytes: Buffer): BadTarget | undefined => {
  if (isEncoded(request)) return { code: "unsupported_media_type" }
  if (!isUtf8(bytes)) return { code: "invalid_utf8" }
  return isForm(request) ? checkForm(bytes.toString()) : checkJson(bytes)
}

/**
 * Whether the body is encoded, for example compressed. Nothing is unpacked here, so that a small body cannot become a large one (RFC 9110
 * §8.4).
 */
const isEncoded = (request: HttpServerRequest.HttpServerRequest) =>
  (request.headers["content-encoding"]?.toLowerCase() ?? "identity") !== "identity"

const isForm = (request: HttpServerRequest.HttpServerRequest) =>
  request.headers["content-type"]?.toLowerCase().startsWith("application/x-www-form-urlencoded") === true

const STRAY_PERCENT = /%(?![0-9a-fA-F]{2})/gu

// Every form decoder reads `password=100%`, as users type it, literally (URL standard §5.1): so it is accepted.
const checkForm = (text: string): BadTarget | undefined => {
  if (hasManyFields(text)) return TOO_MANY
  if (!text.includes("%")) return undefined
  return Result.isFailure(Result.try(() => decodeURIComponent(text.replace(STRAY_PERCENT, "%25"))))
    ? { code: "invalid_utf8" }
    : undefined
}

/** Fields of a form. Our largest form has a handful, and parsing a megabyte of fields takes a tenth of a second. */
const MAX_FIELDS = 100

const hasManyFields = (text: string): boolean => {
  let fields = 1
  for (let at = text.indexOf("&"); at !== -1 && fields <= MAX_FIELDS; at = text.indexOf("&", at + 1)) fields++
  return fields > MAX_FIELDS
}

/** As above, for JSON: what is wrong with it, or undefined. NUL in its texts is refused where they are stored. */
export const checkJson = (bytes: Buffer): BadTarget | undefined =>
  bytes.length > MAX_DEPTH && isTooDeep(bytes) ? TOO_DEEP : undefined

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Bytes of a text that are looked at one by one before the platform searches for its end: a search costs as much as these. */
const LOOKED_AT = 256

const isTooDeep = (bytes: Buffer): boolean => {
  let depth = 0
  let inString = false
  let looked = 0
  let backslash = -1
  let quote = -1
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (inString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) inString = false
      else if (++looked > LOOKED_AT) {
        looked = 0
        // An image of 30 MB takes 15 ms so, and 250 byte by byte. What was found is kept: searched for again and again, the quote at the
        // end of a text with many escapes would take minutes.
        if (backslash <= index) backslash = foundIn(bytes, BACKSLASH, index)
        if (quote <= index) quote = foundIn(bytes, QUOTE, index)
        index = Math.min(quote, backslash) - 1
      }
    } else if (byte === QUOTE) {
      inString = true
      looked = 0
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}

/** The next place of a byte; the length where there is none. */
const foundIn = (bytes: Buffer, byte: number, from: number): number => {
  const found = bytes.indexOf(byte, from + 1)
  return found === -1 ? bytes.length : found
}

const TOO_MANY: BadTarget = {
  code: "invalid_request",
  details: { errors: [{ path: ["payload"], message: `Expected at most ${MAX_FIELDS} fields` }] }
}

const TOO_DEEP: BadTarget = {
  code: "invalid_request",
  details: { errors: [{ path: ["payload"], message: `Expected JSON at most ${MAX_DEPTH} levels deep` }] }
}
