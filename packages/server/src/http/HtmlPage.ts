import { Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import { gzip } from "node:zlib"

/** Seconds a copy may be used without revalidation. */
const MAX_AGE_SECONDS = 60

/**
 * A text that is constant while the program runs, compressed once. A client that already has it gets a 304.
 *
 * Not `HttpMiddleware.compression` (effect/http/HttpMiddleware.ts): it compresses each answer again, on threads that all files and name
 * look-ups share, and `/docs` is larger than a megabyte; it compares no `If-None-Match`. It leaves an answer alone that has a
 * `content-encoding`, as these have.
 */
export const page = Effect.fnUntraced(function* (
  text: string,
  contentType: string,
  headers: Readonly<Record<string, string>> = {}
) {
  const compressed = yield* Effect.callback<Uint8Array>((resume) =>
    gzip(text, (error, result) => resume(error === null ? Effect.succeed(result) : Effect.die(error)))
  )
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`
  const common = { vary: "accept-encoding", ...headers, etag, "cache-control": `public, max-age=${MAX_AGE_SECONDS}` }
  const plain = HttpServerResponse.text(text, { contentType, headers: common })
  const zipped = HttpServerResponse.uint8Array(compressed, {
    contentType,
    headers: { ...common, "content-encoding": "gzip" }
  })
  const unchanged = HttpServerResponse.empty({ status: 304, headers: common })
  return Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
    if (matches(request.headers["if-none-match"], etag)) return unchanged
    return /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "") ? zipped : plain
  })
})

const matches = (given: string | undefined, etag: string): boolean =>
  given !== undefined && given.split(",").some((each) => each.trim().replace(/^W\//u, "") === etag)

/**
 * A page for users and programs: HTML for a browser, which asks for it by name, and JSON for all other clients. The page loads nothing
 * and runs nothing.
 */
export const readable = Effect.fnUntraced(function* (
  value: unknown,
  about: { readonly title: string; readonly body: string }
) {
  const html = document(about)
  const vary = "accept, accept-encoding"
  const forPeople = yield* page(html, PAGE, { vary, "content-security-policy": POLICY })
  const forPrograms = yield* page(JSON.stringify(value), "application/json", { vary })
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    /\btext\/html\b/u.test(request.headers["accept"] ?? "") ? forPeople : forPrograms
  )
})

/** The media type of a page. */
export const PAGE = "text/html; charset=utf-8"

/** A page for one request. The page loads nothing and runs nothing. */
export const asPage = (about: { readonly title: string; readonly body: string }) =>
  HttpServerResponse.text(document(about), {
    contentType: PAGE,
    headers: { "cache-control": "no-store", "content-security-policy": POLICY }
  })

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}dt{font-weight:600;margin-top:.8rem}dd{margin:0}code{font-size:.95em}"

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const document = ({ body, title }: { readonly title: string; readonly body: string }): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${STYLE}</style></head><body>${body}</body></html>`

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Escapes text for a page; text between backticks is code. */
export const escape = (text: string): string =>
  text.replace(/[&<>"']/gu, (each) => ENTITIES[each] ?? "").replace(/`([^`]*)`/gu, "<code>$1</code>")
