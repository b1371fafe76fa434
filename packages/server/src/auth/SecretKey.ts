import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { SecureRandom, layerWebCrypto } from "effect/crypto/SecureRandom"
import { join } from "node:path"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"

/** What tokens are signed with, and passwords of our own database roles are derived from. */
export class SecretKey extends Context.Service<
  SecretKey,
  {
    readonly value: Redacted.Redacted
    /** Where it was made just now, if it was. */
    readonly madeAt: string | undefined
  }
>()("@llm-saas/server/auth/SecretKey") {
  /** `SECRET_KEY`, or the key kept in `DATA_DIR`. Production never comes to the latter: its settings are refused without a key. */
  static readonly layer = Layer.effect(
    SecretKey,
    Effect.gen(function* () {
      const { DATA_DIR, SECRET_KEY } = yield* Settings
      return SecretKey.of(SECRET_KEY === undefined ? yield* keep(DATA_DIR) : { value: SECRET_KEY, madeAt: undefined })
    })
  ).pipe(Layer.provide([NodeFileSystem.layer, layerWebCrypto]))
}

/**
 * The key of a directory, made on the first run and readable by its owner only. A finished draft is linked to its name, which
 * succeeds once: two processes that start together end with the same key, and none reads half of one.
 */
export const keep = Effect.fn("SecretKey.keep")(
  function* (directory: string) {
    const fs = yield* FileSystem.FileSystem
    const random = yield* SecureRandom
    const path = join(directory, "secret-key")

    const make = Effect.gen(function* () {
      const bytes = yield* random.randomBytes(48)
      const draft = `${path}.${yield* random.uuidV4()}`
      yield* fs.makeDirectory(directory, { recursive: true })
      return yield* fs
        .writeFileString(draft, `${Buffer.from(bytes).toString("base64url")}\n`, { flag: "wx", mode: 0o600 })
        .pipe(
          Effect.andThen(fs.link(draft, path)),
          Effect.as(true),
          Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false)),
          Effect.ensuring(Effect.ignore(fs.remove(draft)))
        )
    })

    const made = (yield* fs.exists(path)) ? false : yield* make
    const key = (yield* fs.readFileString(path)).trim()
    if (key.length < 32)
      return yield* new StartupFailed({ message: `${path} holds no key: remove it, or set SECRET_KEY` })
    return { value: Redacted.make(key), madeAt: made ? path : undefined }
  },
  (effect, directory) =>
    Effect.catchTag(
      effect,
      "PlatformError",
      () =>
        new StartupFailed({
          message: `DATA_DIR is not usable: no secret key can be kept in ${directory}; set SECRET_KEY instead`
        })
    )
)
