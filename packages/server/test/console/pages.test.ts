import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { barriers, person } from "./Person.ts"

/** kB that the first page may load, compressed. */
const FIRST_LOAD_KB = 200

layer(consoleServer(), { timeout: "120 seconds" })("the console", (it) => {
  it.effect("is one page for all of its addresses, whose files are kept for good and compressed", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const get = (path: string, headers: Record<string, string> = {}) =>
        Effect.promise(() => fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", headers }))
      assert.strictEqual((yield* get("/console")).headers.get("location"), "console/")
      const index = yield* get("/console/")
      const policy = index.headers.get("content-security-policy") ?? ""
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
        assert.include(policy, rule)
      assert.notMatch(policy, /unsafe|data:|https?:/u)
      assert.strictEqual(index.headers.get("cache-control"), "no-cache")
      const html = yield* Effect.promise(() => index.text())
      const deeper = yield* Effect.flatMap(get("/console/admin/users"), (each) => Effect.promise(() => each.text()))
      const [, script = ""] = /src="\.\/(assets\/[^"]+)"/u.exec(html) ?? []
      assert.include(deeper, `src="../${script}"`)
      const again = yield* get("/console/", { "if-none-match": index.headers.get("etag") ?? "" })
      assert.strictEqual(again.status, 304)

      for (const [accepted, coding] of [
        ["gzip, deflate, br", "br"],
        ["gzip", "gzip"],
        ["br;q=0, gzip;q=0.5", "gzip"],
        ["identity", null],
        ["", null]
      ] as const) {
        const asset = yield* get(`/console/${script}`, { "accept-encoding": accepted })
        assert.strictEqual(asset.headers.get("content-encoding"), coding, accepted)
        assert.match(asset.headers.get("cache-control") ?? "", /immutable/u)
        assert.include(yield* Effect.promise(() => asset.text()), "import")
      }
      const gone = yield* get("/console/assets/index-00000000.js")
      assert.deepStrictEqual([gone.status, gone.headers.get("content-type")], [404, "application/problem+json"])
      assert.strictEqual((yield* get("/console/../openapi.json")).status, 200)
      assert.strictEqual((yield* get("/console/%2e%2e%2fpackage.json")).status, 404)
    })
  )

  it.effect("loads its first page in less than 200 kB, from nowhere else, and is ready within a second", () =>
    Effect.gen(function* () {
      const { address, faults, page, strangers } = yield* person()
      yield* Effect.promise(() => page.goto(`${address}/login`))
      yield* Effect.promise(() => page.getByRole("button").first().waitFor())
      const { bytes, ready } = yield* Effect.promise(() =>
        page.evaluate<{ readonly bytes: number; readonly ready: number }>(
          `({ bytes: performance.getEntriesByType("resource").filter(({ name }) => name.includes("/console/")).reduce((sum, each) => sum + each.transferSize, 0), ready: performance.now() })`
        )
      )
      assert.isAbove(bytes, 1000)
      assert.isBelow(bytes / 1000, FIRST_LOAD_KB)
      console.info(`first load ${Math.round(bytes / 1000)} kB, ready after ${Math.round(ready)} ms`)
      assert.deepStrictEqual([...faults], [])
      assert.deepStrictEqual([...strangers], [])
    })
  )

  it.effect("has no barriers at the first run and at the login, in light and dark, wide and narrow", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const windows = [{}, { dark: true, width: 390 }]
      for (const window of windows) {
        const { address, page } = yield* person(window)
        yield* Effect.promise(() => page.goto(`${address}/login`))
        yield* Effect.promise(() => page.getByRole("heading", { name: "Name your tenant" }).waitFor())
        assert.deepStrictEqual(yield* barriers(page), [])
      }
      yield* signUp(send)
      for (const window of windows) {
        const { address, page } = yield* person(window)
        yield* Effect.promise(() => page.goto(`${address}/login`))
        yield* Effect.promise(() => page.getByRole("heading", { name: "Log in" }).waitFor())
        assert.deepStrictEqual(yield* barriers(page), [])
      }
    })
  )
})
