import { assert, layer } from "@effect/vitest"
import type * as Plain from "@llm-saas/client"
import type * as Answers from "@llm-saas/client/Answers"
import type * as HttpClient from "@llm-saas/client/Http"
import type * as RpcClient from "@llm-saas/client/Rpc"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import type * as Core from "effect"
import { Effect, Layer } from "effect"
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { signUp } from "../People.ts"
import { running } from "../Running.ts"
import { breaking } from "./Breaking.ts"
import { noBrowser, open, site } from "./Browser.ts"
import { Packed, ROOT } from "./Packed.ts"

type Bundle = typeof Core & typeof Answers & typeof HttpClient & typeof RpcClient

/** An answer of two seconds. */
const SLOW = `[[mock {"tokens": 100, "delay": 20}]]`

const ENTRY = `
export { ask } from "./Answers.js"
export { Http } from "./Http.js"
export { Rpc } from "./Rpc.js"
export { Effect, Layer, Redacted, Stream } from "effect"
`

const pageWith = (module: string) =>
  `<!doctype html><title>A page</title><script type="module">import * as client from "${module}"; globalThis.client = client</script>`

/** The client with Effect as an application's bundler makes it, for browsers. */
const bundle = Effect.fnUntraced(function* (path: string) {
  const modules = join(path, "node_modules")
  mkdirSync(modules, { recursive: true })
  symlinkSync(realpathSync(join(ROOT, "node_modules/effect")), join(modules, "effect"))
  writeFileSync(join(path, "entry.js"), ENTRY)
  const { output } = yield* Effect.promise(async () => {
    const made = await rolldown({
      input: join(path, "entry.js"),
      platform: "browser",
      // Whatever a browser cannot load is an error here.
      onLog: (level, log) => {
        throw new Error(`${level}: ${log.message}`)
      }
    })
    return made.generate({ format: "esm", codeSplitting: false })
  })
  return output[0].code
})

layer(Layer.merge(TestDatabase.layer, Packed.layer), { timeout: "120 seconds", excludeTestServices: true })(
  "in a real browser",
  (it) => {
    it.effect.skipIf(noBrowser)(
      "the plain client reads every token once over connections that break, from another origin",
      () =>
        Effect.gen(function* () {
          const { path } = yield* Packed
          const { origin } = yield* site(path, { "/": pageWith("/plain/Client.js") })
          const { port, send } = yield* running({ MOCK_TTFT_MS: "0", ALLOWED_ORIGINS: JSON.stringify([origin]) })
          const { token } = yield* signUp(send)
          const way = yield* breaking(port, (n) => (n < 6 ? [0, 1100, 1500, 2500, 3500, 1777][n] : undefined))
          const { page, said } = yield* open(origin)
          const result = yield* Effect.promise(() =>
            page.evaluate(
              async ({ content, token, url }) => {
                const { createClient }: typeof Plain = Reflect.get(globalThis, "client")
                const client = createClient({ url, token })
                const seqs: Array<number> = []
                const types: Array<string> = []
                for await (const event of client.messages.stream({ content })) {
                  if (event.type === "delta") seqs.push(event.seq)
                  else types.push(event.type)
                }
                const failure: unknown = await client.messages.get("x").catch((error: unknown) => error)
                const requestId = Reflect.get(Object(failure), "requestId")
                return {
                  seqs,
                  types,
                  code: Reflect.get(Object(failure), "code"),
                  told: typeof requestId,
                  me: await client.me()
                }
              },
              { content: SLOW, token, url: `http://127.0.0.1:${way.port}` }
            )
          )
          assert.deepStrictEqual(
            result.seqs,
            Array.from({ length: 100 }, (_, index) => index + 1),
            said.join("\n")
          )
          assert.deepStrictEqual(result.types, ["start", "usage", "end"])
          assert.isAtLeast(way.broken(), 4)
          assert.deepInclude(result, { code: "not_found", told: "string" })
          assert.strictEqual(result.me.role, "admin")
        }).pipe(Effect.scoped),
      120_000
    )

    it.effect.skipIf(noBrowser)(
      "the client with Effect calls by WebSocket and by HTTP",
      () =>
        Effect.gen(function* () {
          const { path } = yield* Packed
          const code = yield* bundle(path)
          const { origin } = yield* site(path, { "/": pageWith("/bundle.js"), "/bundle.js": code })
          const { port, send } = yield* running({
            MOCK_TTFT_MS: "0",
            MOCK_TOKENS: "8",
            ALLOWED_ORIGINS: JSON.stringify([origin])
          })
          const { id, token } = yield* signUp(send)
          const { page, said } = yield* open(origin)
          const result = yield* Effect.promise(() =>
            page.evaluate(
              async ({ token, url }) => {
                const { ask, Effect, Http, Layer, Redacted, Rpc, Stream }: Bundle = Reflect.get(globalThis, "client")
                const options = { url, token: Redacted.make(token) }
                const program = Effect.gen(function* () {
                  const [rpc, http] = [yield* Rpc, yield* Http]
                  const events = yield* Stream.runCollect(ask({ content: "What is a room?" }))
                  return {
                    events: events.length,
                    me: [(yield* rpc["accounts.me"]()).id, (yield* http.accounts.me()).id]
                  }
                })
                const run = (layer: typeof http) =>
                  Effect.runPromise(Effect.provide(program, Layer.merge(layer, Http.layer(options))))
                const http = Rpc.layerHttp(options)
                return [await run(Rpc.layerWebSocket(options)), await run(http)]
              },
              { token, url: `http://127.0.0.1:${port}` }
            )
          )
          assert.deepStrictEqual(
            result,
            [
              { events: 11, me: [id, id] },
              { events: 11, me: [id, id] }
            ],
            said.join("\n")
          )
        }).pipe(Effect.scoped),
      120_000
    )
  }
)
