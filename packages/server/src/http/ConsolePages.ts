import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { readdir, readFile } from "node:fs/promises"
import { createHash } from "node:crypto"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { asPage } from "./HtmlPage.ts"
import { refusal } from "./Refusals.ts"
import type { Route } from "./RouteTable.ts"

/** What `scripts/console.mjs` makes of packages/console: `index.html`, and `assets/` whose names have the hash of their content. */
const BUILT = fileURLToPath(new URL("../../../console/dist/console", import.meta.url))

const METHODS = ["GET", "HEAD"]

/** The console's routes, beside the API. */
export const CONSOLE_ROUTES: ReadonlyArray<Route> = [{ path: "/console/*", methods: METHODS }]

const PREFIX = "/console/"

/** Relative: the server may be behind a path. */
const TO_CONSOLE = HttpServerResponse.redirect("console/", { status: 308 })

/**
 * The console: one page for all of its addresses, which decides in the browser what it shows, and the files it is made of. They are read
 * once, at start, compressed as they were built.
 *
 * Not `HttpStaticServer` (effect/http): it sends files as they lie there, and would compress each answer again.
 */
export const ConsolePagesLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const assets = yield* assetsOf(BUILT)
    const index = yield* Effect.option(Effect.tryPromise(() => readFile(`${BUILT}/index.html`, "utf8")))
    const page = index._tag === "Some" ? indexPage(index.value) : () => Effect.succeed(NOT_BUILT)
    yield* router.add(
      "GET",
      "/console/*",
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const path = pathOf(request.url)
        // The route's pattern fits `/console` too.
        if (path === undefined) return Effect.succeed(TO_CONSOLE)
        const asset = assets.get(path)
        if (asset !== undefined) return Effect.succeed(asset(request))
        // A file that is not there, such as one of an earlier version, is no page.
        return extname(path) === "" ? page(path, request) : Effect.succeed(refusal("not_found"))
      })
    )
  })
)

/** The path below the console's, without the query; undefined for `/console` itself. */
const pathOf = (target: string): string | undefined => {
  const [path = ""] = target.split("?", 1)
  return path.startsWith(PREFIX) ? path.slice(PREFIX.length) : undefined
}

/** Nothing runs or is loaded but our own files. Attachments are shown from memory (`blob:`). Styles may be set by scripts only. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'"
].join("; ")

type Answer = (request: HttpServerRequest.HttpServerRequest) => HttpServerResponse.HttpServerResponse

/** The page for a path below the console's: its links lead up to the console from there. */
const indexPage = (html: string) => {
  const pages = new Map<number, Answer>()
  return (path: string, request: HttpServerRequest.HttpServerRequest) => {
    const depth = Math.min(DEEPEST, path.split("/").length - 1)
    const known = pages.get(depth)
    if (known !== undefined) return Effect.succeed(known(request))
    const text = html.replaceAll('="./', `="${"../".repeat(depth) || "./"}`)
    const made = fileAnswer(new Map([["identity", new TextEncoder().encode(text)]]), "text/html; charset=utf-8", {
      // Asked for again each time: it names the files of the newest version.
      "cache-control": "no-cache",
      "content-security-policy": POLICY
    })
    pages.set(depth, made)
    return Effect.succeed(made(request))
  }
}

/** Steps below `/console/`; no page of ours lies deeper. */
const DEEPEST = 8

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2"
}

/** Codings by what they save, with how the built files are called. */
const CODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"]
] as const

/** The files, by their paths below the console's. Empty: it has not been built. */
const assetsOf = Effect.fnUntraced(function* (directory: string) {
  const names = yield* Effect.orElseSucceed(
    Effect.tryPromise(() => readdir(`${directory}/assets`)),
    (): ReadonlyArray<string> => []
  )
  const assets = new Map<string, Answer>()
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const bodies = new Map([["identity", yield* read(`${directory}/assets/${name}`)]])
    for (const [coding, suffix] of CODINGS)
      if (names.includes(name + suffix)) bodies.set(coding, yield* read(`${directory}/assets/${name}${suffix}`))
    assets.set(
      `assets/${name}`,
      // The name changes with the content.
      fileAnswer(bodies, type, { "cache-control": "public, max-age=31536000, immutable" })
    )
  }
  return assets
})

const read = (file: string) => Effect.promise((): Promise<Uint8Array> => readFile(file))

/** A file in the best coding that the client takes; a 304 for one that has it. */
const fileAnswer = (
  bodies: ReadonlyMap<string, Uint8Array>,
  contentType: string,
  headers: Readonly<Record<string, string>>
): Answer => {
  const whole = bodies.get("identity") ?? new Uint8Array()
  const etag = `"${createHash("sha256").update(whole).digest("base64url").slice(0, 22)}"`
  const common = { ...headers, etag, vary: "accept-encoding" }
  const unchanged = HttpServerResponse.empty({ status: 304, headers: common })
  const coded = CODINGS.flatMap(([coding]) => {
    const body = bodies.get(coding)
    if (body === undefined) return []
    const answer = HttpServerResponse.uint8Array(body, {
      contentType,
      headers: { ...common, "content-encoding": coding }
    })
    return [{ coding, answer }]
  })
  const plain = HttpServerResponse.uint8Array(whole, { contentType, headers: common })
  return ({ headers: { "accept-encoding": accepted = "", "if-none-match": known = "" } }) => {
    if (known.split(",").some((each) => each.trim().replace(/^W\//u, "") === etag)) return unchanged
    return coded.find(({ coding }) => takes(accepted, coding))?.answer ?? plain
  }
}

/** Whether `Accept-Encoding` (RFC 9110 §12.5.3) names the coding, and not with the weight 0. */
const takes = (accepted: string, coding: string): boolean =>
  accepted.split(",").some((each) => {
    const [name = "", weight = ""] = each.split(";")
    return name.trim() === coding && !/^q=0(?:\.0{0,3})?$/u.test(weight.trim())
  })

const NOT_BUILT = HttpServerResponse.setStatus(
  asPage({
    title: "No console",
    body: "<h1>The console has not been built</h1><p><code>npm start</code> and <code>npm run build</code> build it; <code>npm run build:console</code> does that alone. Then start the server again.</p>"
  }),
  404
)
