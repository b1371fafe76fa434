import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join, normalize } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/opt/google/chrome/chrome"]

/** A browser of this machine: CHROMIUM, or one at a usual path. Undefined: there is none. */
export const CHROMIUM = [process.env["CHROMIUM"] ?? "", ...PLACES].find((path) => path !== "" && existsSync(path))

const INSTALL =
  "no Chromium on this machine. `apt-get install --no-install-recommends chromium` makes one, CHROMIUM names another."

/** Tests in a browser are skipped where there is none, and say so. In CI they fail. */
export const noBrowser = CHROMIUM === undefined && process.env["CI"] !== "true"
if (CHROMIUM === undefined) {
  if (process.env["CI"] === "true") throw new Error(`Tests in a browser fail in CI: ${INSTALL}`)
  console.warn(`Tests in a browser are skipped: ${INSTALL}`)
}

/** Ends a wait that hangs: the machine may be busy, and it is no measure of speed. */
export const TIMEOUT_MS = 90_000

/** A new page of a headless browser, at an address. `said` has its log and its errors. */
export const open = Effect.fnUntraced(function* (address: string) {
  const browser: Browser = yield* Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] })
    ),
    (browser) => Effect.promise(() => browser.close())
  )
  const page: Page = yield* Effect.promise(() => browser.newPage())
  page.setDefaultTimeout(TIMEOUT_MS)
  const said: Array<string> = []
  page.on("console", (message) => said.push(message.text()))
  page.on("pageerror", (error) => said.push(String(error)))
  yield* Effect.promise(() => page.goto(address))
  return { page, said }
})

const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" }

/** Serves directories and texts to a browser, from an origin of its own. */
export const site = (directory: string, texts: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly origin: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => {
        const path = normalize(new URL(request.url ?? "/", "http://x").pathname)
        const file = join(directory, path)
        const text = texts[path] ?? (existsSync(file) && extname(file) !== "" ? readFileSync(file, "utf8") : undefined)
        response.writeHead(text === undefined ? 404 : 200, { "content-type": TYPES[extname(path)] ?? "text/html" })
        response.end(text)
      }).listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            origin: `http://127.0.0.1:${port}`,
            close: () => {
              server.closeAllConnections()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )
