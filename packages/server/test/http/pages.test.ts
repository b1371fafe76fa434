import { PROBLEMS } from "@llm-saas/domain/Problem"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { portOf, problemOf, send, serving, stage } from "./Serving.ts"

const Shared = Layer.unwrap(Effect.map(stage, (on) => serving(on)))

const html = ["accept: text/html,application/xhtml+xml,*/*;q=0.8"]

it.layer(Shared)("pages beside the API", (it) => {
  it.effect("`/` says what this is and where things are: to a browser as a page, to programs as JSON", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const answer = yield* send(port, "GET", "/")
      assert.strictEqual(answer.headers["content-type"], "application/json")
      const said: Readonly<Record<string, string>> = JSON.parse(answer.body)
      assert.containsAllKeys(said, ["name", "version"])
      const page = yield* send(port, "GET", "/", html)
      assert.match(page.headers["content-type"] ?? "", /^text\/html/)
      for (const place of ["docs", "openapi", "problems", "health"]) {
        const path = said[place] ?? ""
        assert.include(page.body, `href="${path}"`)
        assert.strictEqual((yield* send(port, "GET", path)).status, 200, place)
      }
      const head = yield* send(port, "HEAD", "/", html)
      assert.deepStrictEqual([head.status, head.body], [200, ""])
      assert.strictEqual((yield* send(port, "POST", "/")).headers["allow"], "GET, HEAD, OPTIONS")
    })
  )

  it.effect("loads nothing and runs nothing", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const path of ["/", "/problems", "/problems/not_found"]) {
        const { body, headers } = yield* send(port, "GET", path, html)
        const [, style = ""] = /<style>(.*)<\/style>/su.exec(body) ?? []
        const hash = createHash("sha256").update(style).digest("base64")
        assert.match(headers["content-security-policy"] ?? "", /^default-src 'none'; /)
        assert.include(headers["content-security-policy"], `style-src 'sha256-${hash}'`)
        assert.notMatch(body, /<script|<link|<img|<iframe|style=| on[a-z]+=|https?:/)
        assert.strictEqual(headers["vary"], "accept, accept-encoding")
      }
    })
  )

  it.effect("every problem's type opens, and says what to do", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const list: { readonly data: ReadonlyArray<Readonly<Record<string, unknown>>> } = JSON.parse(
        (yield* send(port, "GET", "/problems")).body
      )
      assert.sameMembers(
        list.data.map(({ code }) => code),
        Object.keys(PROBLEMS)
      )
      for (const about of list.data) {
        assert.deepStrictEqual(JSON.parse((yield* send(port, "GET", String(about["type"]))).body), about)
        assert.include(
          (yield* send(port, "GET", String(about["type"]), html)).body,
          `<code>${String(about["code"])}</code>`
        )
      }
      const { type } = yield* problemOf(yield* send(port, "GET", "/problems/no_such_problem"))
      assert.strictEqual(JSON.parse((yield* send(port, "GET", type)).body).status, 404)
    })
  )

  it.effect("browsers and crawlers get the files they always request", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      assert.strictEqual((yield* send(port, "GET", "/favicon.ico")).status, 204)
      assert.include((yield* send(port, "GET", "/robots.txt")).body, "Disallow: /")
    })
  )
})
