import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { type BrowserContext, chromium, type Page } from "playwright-core"
import { CHROMIUM, TIMEOUT_MS } from "../client/Browser.ts"
import { Running } from "../Running.ts"

/** A person at a browser of their own: nobody shares their cookies. */
export interface Person {
  readonly context: BrowserContext
  readonly page: Page
  /** The console's address, such as `http://localhost:4321/console`. */
  readonly address: string
  /** What went wrong in their pages: errors of scripts, and what the Content-Security-Policy refused. */
  readonly faults: Array<string>
  /** Requests that left the server's origin. */
  readonly strangers: Array<string>
}

interface Window {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
}

/** Opens a browser at the console of {@link Running}. Closed with the scope. `localhost`: passkeys want a name. */
export const person = Effect.fnUntraced(function* ({ dark = false, height = 800, width = 1280 }: Window = {}) {
  const { port } = yield* Running
  const origin = `http://localhost:${port}`
  const browser = yield* Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] })
    ),
    (browser) => Effect.promise(() => browser.close())
  )
  const context = yield* Effect.promise(() =>
    browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      locale: "en-US",
      timezoneId: "UTC"
    })
  )
  context.setDefaultTimeout(TIMEOUT_MS)
  const faults: Array<string> = []
  const strangers: Array<string> = []
  const watch = (page: Page) => {
    page.on("pageerror", (error) => faults.push(String(error)))
    page.on("console", (message) => {
      // A refused request is logged by the browser as an error of its own; what it means is the page's to say.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        faults.push(message.text())
    })
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`) && !/^(?:blob|data):/u.test(request.url()))
        strangers.push(request.url())
    })
  }
  context.on("page", watch)
  const page = yield* Effect.promise(() => context.newPage())
  return { context, page, address: `${origin}/console`, faults, strangers } satisfies Person
})

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** What axe-core finds serious or critical in the page as it is now, each as `rule: element`. */
export const barriers = (page: Page) =>
  Effect.promise(async () => {
    // Evaluated by the browser's debugger, which no Content-Security-Policy holds back.
    await page.evaluate(`${AXE}; undefined`)
    const found = await page.evaluate<ReadonlyArray<string>>(
      `axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`
    )
    return found
  })
