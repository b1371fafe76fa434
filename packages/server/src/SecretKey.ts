import { Context, Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Settings } from "./Settings.ts"

/** What tokens are signed with, and passwords of our own database roles are derived from. */
export class SecretKey extends Context.Service<
  SecretKey,
  {
    readonly value: Redacted.Redacted
    /** Where it was made just now, if it was. */
    readonly madeAt: string | undefined
  }
>()("@llm-saas/server/SecretKey") {
  static readonly layer = Layer.effect(
    SecretKey,
    Effect.gen(function* () {
      const { DATA_DIR, SECRET_KEY } = yield* Settings
      return SecretKey.of(SECRET_KEY === undefined ? yield* keep(DATA_DIR) : { value: SECRET_KEY, madeAt: undefined })
    })
  )
}

/** The key of `directory`, made on the first run. Two processes at once end up with the same one: linking is atomic. */
export const keep = (directory: string) =>
  Effect.sync(() => {
    const path = join(directory, "secret-key")
    const made = !existsSync(path)
    if (made) {
      mkdirSync(directory, { recursive: true })
      const draft = `${path}.${process.pid}`
      writeFileSync(draft, `${randomBytes(48).toString("base64url")}\n`, { mode: 0o600 })
      if (!existsSync(path)) linkSync(draft, path)
      rmSync(draft)
    }
    return { value: Redacted.make(readFileSync(path, "utf8").trim()), madeAt: made ? path : undefined }
  })
