import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { spawned } from "./Process.ts"

const DEV = fileURLToPath(new URL("../../../scripts/dev.mjs", import.meta.url))

/** A checkout whose server says one word and goes on. */
const checkout = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "llm-saas-dev-"))
    mkdirSync(join(directory, "packages/server/src"), { recursive: true })
    mkdirSync(join(directory, "sql/functions"), { recursive: true })
    const write = (path: string, text: string) => writeFileSync(join(directory, path), text)
    const says = (word: string) =>
      write("packages/server/src/main.ts", `console.log(${JSON.stringify(word)})\nsetInterval(() => {}, 1000)\n`)
    return { directory, write, says }
  }),
  ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

it.live(
  "npm run dev starts the server again when a source, sql or .env changes, also after a start that failed",
  () =>
    Effect.gen(function* () {
      const { directory, says, write } = yield* checkout
      says("one")
      const dev = yield* spawned(process.execPath, [DEV], {}, directory)
      yield* dev.says(/one/u)
      says("two")
      yield* dev.says(/two/u)
      write("packages/server/src/main.ts", "process.exit(3)")
      yield* dev.says(/ended with code 3; it starts again with the next change/u)
      says("three")
      yield* dev.says(/three/u)
      write("sql/functions/10_x.sql", "select 1")
      yield* dev.says(/three\n[\s\S]*three\n/u)
      assert.match(dev.output().stderr, /sql.functions.10_x\.sql changed: starting again/u)
      write(".env", "PORT=1")
      yield* dev.says(/(?:three\n[\s\S]*){3}/u)
      assert.match(dev.output().stderr, /\.env changed/u)
      dev.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* dev.ended, { code: 0, signal: null }, dev.output().stderr)
    }).pipe(Effect.scoped),
  120_000
)
