import { rotateDataKeys } from "@llm-saas/database/DataKeys"
import { Console, Effect, Schema } from "effect"
import * as Command from "effect/cli/Command"
import { EncryptionKeys } from "../auth/EncryptionKeys.ts"
import { rewrap } from "../auth/Envelope.ts"
import { Settings } from "../config/Settings.ts"
import { administrator } from "../Database.ts"
import { StartupFailed } from "../process/Startup.ts"
import { named } from "./CommandLine.ts"

// `npm run keys:rotate`: tenants' data keys under the installation's current key.

/** Some data keys are under a key of the installation that is not among ENCRYPTION_KEYS_OLD. */
export class KeysUnreadable extends Schema.TaggedError<KeysUnreadable>()("KeysUnreadable", { count: Schema.Int }) {
  override get message(): string {
    return `${this.count} data key${this.count === 1 ? "" : "s"} cannot be decrypted: what was ENCRYPTION_KEY then is missing in ENCRYPTION_KEYS_OLD`
  }
}

const rotating = Effect.gen(function* () {
  const { APP_ENV, ENCRYPTION_KEY } = yield* Settings
  if (APP_ENV === "production" && ENCRYPTION_KEY === undefined)
    return yield* new StartupFailed({ message: "keys are encrypted with ENCRYPTION_KEY, which is missing" })
  const { all } = yield* EncryptionKeys
  const keys = yield* all
  const admin = yield* administrator
  const { current, rotated, unreadable } = yield* rotateDataKeys(
    admin,
    keys.current.id,
    (key) => rewrap(keys, key.tenant_id, key),
    (done) => Console.error(`${done} …`)
  )
  yield* Console.log(
    `${rotated} data keys are encrypted with the current key now, ${current} were before, ${unreadable} cannot be decrypted`
  )
  if (unreadable > 0) return yield* new KeysUnreadable({ count: unreadable })
})

export const keysRotate = Command.make(named("keys:rotate"), {}, () => rotating).pipe(
  Command.withDescription("Encrypt tenants' data keys with ENCRYPTION_KEY, from ENCRYPTION_KEYS_OLD"),
  Command.provide(EncryptionKeys.layer)
)
