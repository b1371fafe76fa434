import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { layerWebCrypto, SecureRandom } from "effect/crypto/SecureRandom"
import { createHmac, createSecretKey, type KeyObject } from "node:crypto"
import { join } from "node:path"
import { Settings } from "../config/Settings.ts"
import { keep, type KeptKey } from "./SecretKey.ts"

/** A key of the installation. */
export interface InstallationKey {
  /** Tells which key it is, and nothing about it. Stored with everything that it encrypts. */
  readonly id: string
  readonly key: KeyObject
}

/** The current key, and all by their ids: earlier ones only decrypt. */
export interface InstallationKeys {
  readonly current: InstallationKey
  readonly find: (id: string) => InstallationKey | undefined
}

/** The keys of the installation that tenants' data keys are encrypted with. */
export class EncryptionKeys extends Context.Service<
  EncryptionKeys,
  {
    /** Read with the first use: where no tenant has a secret, none is made and kept. */
    readonly all: Effect.Effect<InstallationKeys>
  }
>()("@llm-saas/server/auth/EncryptionKeys") {
  /**
   * ENCRYPTION_KEY, or the key kept in `DATA_DIR`, which production never reaches. One that was kept there before ENCRYPTION_KEY was set
   * is an earlier one.
   */
  static readonly layer = Layer.effect(
    EncryptionKeys,
    Effect.gen(function* () {
      const { DATA_DIR, ENCRYPTION_KEY, ENCRYPTION_KEYS_OLD } = yield* Settings
      const fs = yield* FileSystem.FileSystem
      const random = yield* SecureRandom
      const kept = fs.readFileString(join(DATA_DIR, KEPT.file)).pipe(
        Effect.map((text) => [Redacted.make(text.trim())]),
        Effect.orElseSucceed(() => [])
      )
      const load =
        ENCRYPTION_KEY === undefined
          ? Effect.map(keep(DATA_DIR, KEPT), ({ value }) => of(value, ENCRYPTION_KEYS_OLD))
          : Effect.map(kept, (earlier) => of(ENCRYPTION_KEY, [...ENCRYPTION_KEYS_OLD, ...earlier]))
      let known: InstallationKeys | undefined
      const read = load.pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.provideService(SecureRandom, random),
        Effect.tap((keys) => Effect.sync(() => void (known = keys))),
        Effect.orDie
      )
      return EncryptionKeys.of({ all: Effect.suspend(() => (known === undefined ? read : Effect.succeed(known))) })
    })
  ).pipe(Layer.provide([NodeFileSystem.layer, layerWebCrypto]))
}

const KEPT: KeptKey = { file: "encryption-key", variable: "ENCRYPTION_KEY", bytes: 32 }

/** Keys of their texts, in hex or base64. */
export const of = (current: Redacted.Redacted, earlier: ReadonlyArray<Redacted.Redacted>): InstallationKeys => {
  const first = keyOf(current)
  const all = new Map([...earlier.map(keyOf), first].map((each) => [each.id, each]))
  return { current: first, find: (id) => all.get(id) }
}

const keyOf = (text: Redacted.Redacted): InstallationKey => {
  const value = Redacted.value(text)
  const bytes = Buffer.from(value, /^[0-9a-f]{64}$/iu.test(value) ? "hex" : "base64")
  const id = createHmac("sha256", bytes).update("llm-saas encryption key").digest("hex").slice(0, 16)
  return { id, key: createSecretKey(bytes) }
}
