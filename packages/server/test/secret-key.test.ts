import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import { join } from "node:path"
import { keep, SecretKey } from "../src/auth/SecretKey.ts"
import { configured } from "./Configured.ts"

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

describe("the secret key of the first run", () => {
  it.layer(Layer.merge(NodeFileSystem.layer, layerWebCrypto))((it) => {
    it.effect("is strong, kept for its owner alone, and the same ever after", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = join(yield* temporary, "not", "there", "yet")
        const first = yield* keep(directory)
        const path = join(directory, "secret-key")
        assert.strictEqual(first.madeAt, path)
        assert.isAtLeast(Redacted.value(first.value).length, 64)
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
        const second = yield* keep(directory)
        assert.isUndefined(second.madeAt)
        assert.strictEqual(Redacted.value(second.value), Redacted.value(first.value))
      })
    )

    it.effect("is one, however many start at once", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* temporary
        const keys = yield* Effect.all(
          Array.from({ length: 24 }, () => keep(directory)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(keys.map(({ value }) => Redacted.value(value))).size, 1)
        assert.strictEqual(keys.filter(({ madeAt }) => madeAt !== undefined).length, 1)
        assert.deepStrictEqual(yield* fs.readDirectory(directory), ["secret-key"])
      })
    )

    it.effect("cannot be an empty file, or in a place where no file can be", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* temporary
        yield* fs.writeFileString(join(directory, "secret-key"), "\n")
        assert.include((yield* Effect.flip(keep(directory))).message, "holds no key")
        assert.include((yield* Effect.flip(keep(join(directory, "secret-key")))).message, "DATA_DIR is not usable")
      })
    )

    it.effect("is not made where SECRET_KEY is set", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* temporary
        const layer = SecretKey.layer.pipe(Layer.provide(configured({ DATA_DIR: directory, SECRET_KEY: "mine" })))
        const { madeAt, value } = yield* Effect.provide(SecretKey, layer)
        assert.strictEqual(Redacted.value(value), "mine")
        assert.isUndefined(madeAt)
        assert.deepStrictEqual(yield* fs.readDirectory(directory), [])
      })
    )
  })
})
