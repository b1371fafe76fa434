import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { directory, npm, Packed, ROOT, run } from "./Packed.ts"

/** The oldest Node ≥ 20 of this machine: the client promises more than the server needs. */
const oldestNode = [process.execPath, ...(process.env["PATH"] ?? "").split(delimiter).map((path) => join(path, "node"))]
  .filter((path) => existsSync(path))
  .map((path) => ({ path, major: Number(/^v(\d+)/u.exec(spawnSync(path, ["-v"]).stdout.toString())?.[1]) }))
  .filter(({ major }) => major >= 20)
  .reduce((a, b) => (b.major < a.major ? b : a))

const PLAIN = `
import { createClient, LlmSaasError, type Message, type StreamEvent } from "@llm-saas/client"

const [url = "", token = ""] = process.argv.slice(2)
const client = createClient({ url, token })
const message: Message = await client.messages.ask({ content: "What is a room?" })
const seen: Array<StreamEvent["type"]> = []
let text = ""
for await (const event of client.messages.stream({ content: "What is a room?" })) {
  seen.push(event.type)
  if (event.type === "delta") text += event.text
}
const failure = await client.messages.get("00000000-0000-4000-8000-000000000000").catch((error: unknown) => error)
const code = failure instanceof LlmSaasError ? failure.code : undefined
console.log(JSON.stringify({ status: message.status, seen, whole: text === message.response, code }))
`

const EFFECT = `
import { ask } from "@llm-saas/client/Answers"
import { MessageNotFound, MessageId } from "@llm-saas/client/domain/Message"
import { Http } from "@llm-saas/client/Http"
import { Rpc } from "@llm-saas/client/Rpc"
import { Effect, Layer, Redacted, Stream } from "effect"

const [url = "", token = ""] = process.argv.slice(2)
const options = { url, token: Redacted.make(token) }
const program = Effect.gen(function* () {
  const rpc = yield* Rpc
  const http = yield* Http
  const events = yield* Stream.runCollect(ask({ content: "What is a room?" }))
  const me = yield* rpc["accounts.me"]()
  const unknown = { id: MessageId.make("00000000-0000-4000-8000-000000000000") }
  const failure = yield* Effect.flip(rpc["messages.get"](unknown))
  const other = yield* Effect.flip(http.messages.get({ params: unknown }))
  return {
    events: events.length,
    role: me.role,
    same: failure instanceof MessageNotFound && other instanceof MessageNotFound
  }
})
const layers = Layer.merge(Rpc.layerHttp(options), Http.layer(options))
Effect.runPromise(Effect.provide(program, layers)).then((result) => console.log(JSON.stringify(result)))
`

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "NodeNext",
    moduleResolution: "NodeNext",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    outDir: "out"
  },
  files: ["main.ts"]
}

// Effect's own declarations are not checked.
const WITH_EFFECT = { ...TSCONFIG, compilerOptions: { ...TSCONFIG.compilerOptions, skipLibCheck: true } }

/** Effect with its dependencies, as npm would install it. */
const linkEffect = (path: string) =>
  symlinkSync(realpathSync(join(ROOT, "node_modules/effect")), join(path, "node_modules/effect"))

/** A project outside of this workspace, with the packed client and nothing else. */
const project = Effect.fnUntraced(function* (source: string, tsconfig: object) {
  const path = join(yield* directory, "project")
  const client = yield* Packed
  mkdirSync(path, { recursive: true })
  const packed = (yield* npm(["pack", client.path, "--silent"], path)).trim()
  writeFileSync(join(path, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }))
  writeFileSync(join(path, "main.ts"), `declare const process: { argv: Array<string> }\n${source}`)
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify(tsconfig))
  yield* npm(["install", `./${packed}`], path)
  return path
})

const compile = (path: string) => run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", path])

const World = Layer.merge(Running.with({ MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" }), Packed.layer)

layer(World, { timeout: "120 seconds" })("the client, packed and installed outside of this workspace,", (it) => {
  it.effect(
    `asks and reads without any other package, on Node ${oldestNode.major}`,
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        // Types too: every declaration of the package is checked, and effect is nowhere.
        const path = yield* project(PLAIN, TSCONFIG)
        assert.isFalse(existsSync(join(path, "node_modules/effect")))
        yield* compile(path)
        const out = yield* run(oldestNode.path, ["out/main.js", `http://127.0.0.1:${port}`, token], { cwd: path })
        assert.deepStrictEqual(JSON.parse(out), {
          status: "completed",
          seen: ["start", ...new Array<string>(8).fill("delta"), "usage", "end"],
          whole: true,
          code: "message_not_found"
        })
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    `is typed to the end with Effect, on Node ${oldestNode.major}`,
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        const path = yield* project(EFFECT, WITH_EFFECT)
        linkEffect(path)
        yield* compile(path)
        const out = yield* run(oldestNode.path, ["out/main.js", `http://127.0.0.1:${port}`, token], { cwd: path })
        assert.deepStrictEqual(JSON.parse(out), { events: 11, role: "admin", same: true })
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    "is what its documentation shows",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const account = { email: "alice@acme.com", password: "password123" }
        const tenant = (yield* send("POST", "/create-tenant", { json: { name: "Acme Corp" } })).body["id"]
        yield* send("POST", "/register", { json: { ...account, tenant_id: tenant } })
        const text = readFileSync(join(ROOT, "docs/client.md"), "utf8")
        const [plain = "", tools = "", effect = "", ...more] = [...text.matchAll(/```ts\n([\s\S]*?)```/gu)].map(
          ([, code]) => code
        )
        assert.deepStrictEqual(more, [])
        const here = (code: string) => code.replaceAll("http://localhost:8000", `http://127.0.0.1:${port}`)
        const one = yield* project(here(plain), TSCONFIG)
        yield* compile(one)
        const said = yield* run(oldestNode.path, ["out/main.js"], { cwd: one })
        assert.match(said, /^1 \S+[\s\S]*\n.* 8\nmessage_not_found 404 [0-9a-f-]{36}\n$/u)

        const other = yield* project(here(effect), WITH_EFFECT)
        linkEffect(other)
        yield* compile(other)
        // By WebSocket, which Node has from 22 on.
        assert.match(yield* run(process.execPath, ["out/main.js"], { cwd: other }), /4 questions so far/u)

        const login = yield* send("POST", "/login", { json: { username: account.email, password: account.password } })
        const key = yield* send("POST", "/keys", {
          token: String(login.body["access_token"]),
          json: { name: "a key", scopes: ["chat", "messages:write"] }
        })
        const third = yield* project(here(tools).replaceAll("sk-…", String(key.body["key"])), TSCONFIG)
        yield* compile(third)
        assert.match(
          yield* run(oldestNode.path, ["out/main.js"], { cwd: third }),
          /^I see an image \(image\/png, 8 bytes\)\. .*\nget_weather says: Rain\. \(\{"city":"Paris"\}\)\. .*\n$/u
        )
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect("has a manifest, a licence, and this documentation", () =>
    Effect.gen(function* () {
      const { path: client } = yield* Packed
      const manifest: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(client, "package.json"), "utf8"))
      assert.deepInclude(manifest, {
        name: "@llm-saas/client",
        type: "module",
        engines: { node: ">=20" },
        peerDependenciesMeta: { effect: { optional: true } }
      })
      assert.notProperty(manifest, "dependencies")
      assert.notProperty(manifest, "private")
      for (const file of ["LICENSE", "README.md"]) assert.isTrue(existsSync(join(client, file)))
    }).pipe(Effect.scoped)
  )
})
