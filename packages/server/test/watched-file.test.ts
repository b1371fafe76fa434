import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import type { Configuration } from "@llm-saas/llm/routes/Configuration"
import { ConfigProvider, Effect, FileSystem, Logger, Redacted, type Scope } from "effect"
import { writeFileSync } from "node:fs"
import { looks, read } from "../src/providers/WatchedFile.ts"

const DEFAULTS = {
  connectMs: 1000,
  firstTokenMs: 1000,
  silenceMs: 1000,
  answerMs: 1000,
  retries: 0,
  temperature: undefined,
  proxies: { http: undefined, https: undefined, none: undefined }
}

const file = (alias: string, key = "") =>
  `providers: {a: {type: openai, base_url: "http://localhost:1"${key === "" ? "" : `, api_key_file: ${key}`}}}\nmodels: {${alias}: {targets: [{provider: a}]}}\n`

/** A watched file: what was used, in order, and the warnings and errors of the log. */
const watched = Effect.fnUntraced(function* (text: (directory: string) => string) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const path = `${directory}/providers.yaml`
  yield* fs.writeFileString(path, text(directory))
  const used: Array<string> = []
  const said: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void said.push(`${logLevel} ${JSON.stringify(message)}`))
  const watching = { path, defaults: DEFAULTS, variables: Effect.succeed(ConfigProvider.fromEnvRecord({})) }
  const { configuration, found } = yield* read(watching)
  const use = ({ defaultModel, providers: [first] }: Configuration) =>
    Effect.sync(() => void used.push(`${defaultModel} ${first?.key === undefined ? "" : Redacted.value(first.key)}`))
  yield* use(configuration)
  return {
    used,
    said,
    look: Effect.provide(looks(watching, found, use), Logger.layer([logger])),
    write: (name: string, text: string) => fs.writeFileString(`${directory}/${name}`, text),
    remove: fs.remove(path)
  }
})

const run = <A, E>(test: Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>) =>
  test.pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

describe("a watched providers' file", () => {
  it.effect("is used once it has changed and is the same at the next look: the first may see half of it", () =>
    Effect.gen(function* () {
      const { look, said, used, write } = yield* watched(() => file("one"))
      yield* look
      yield* look
      assert.deepStrictEqual(used, ["one "])
      yield* write("providers.yaml", file("two"))
      yield* look
      assert.deepStrictEqual(used, ["one "])
      yield* write("providers.yaml", file("three"))
      yield* look
      yield* look
      yield* look
      assert.deepStrictEqual(used, ["one ", "three "])
      assert.deepStrictEqual(said, ['Info ["PROVIDERS_FILE was read again: 1 providers, 1 models"]'])
    }).pipe(run)
  )

  it.effect("with errors, or gone, is an error in the log once, and the one before stays", () =>
    Effect.gen(function* () {
      const { look, remove, said, used, write } = yield* watched(() => file("one"))
      yield* write("providers.yaml", `${file("two")}default_model: tow\n`)
      for (let n = 0; n < 4; n++) yield* look
      assert.deepStrictEqual(used, ["one "])
      assert.lengthOf(said, 1)
      assert.match(
        said[0] ?? "",
        /^Error .*default_model: expected the name of a chat model of this file; did you mean two\?.*stay as they were/u
      )
      yield* remove
      for (let n = 0; n < 4; n++) yield* look
      assert.lengthOf(said, 2)
      yield* write("providers.yaml", file("one"))
      for (let n = 0; n < 2; n++) yield* look
      assert.deepStrictEqual(used, ["one ", "one "])
    }).pipe(run)
  )

  it.effect("is used again when a file with a key has changed", () =>
    Effect.gen(function* () {
      const { look, used, write } = yield* watched((directory) => {
        writeFileSync(`${directory}/key`, "first\n")
        return file("one", `${directory}/key`)
      })
      yield* write("key", "second\n")
      yield* look
      yield* look
      assert.deepStrictEqual(used, ["one first", "one second"])
    }).pipe(run)
  )
})
