import { PasswordHasher } from "@llm-saas/engine/PasswordHasher"
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import * as HashingThreads from "./HashingThreads.ts"
import { Settings } from "./Settings.ts"

/** argon2id, OWASP's minimum (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const CURRENT = "$argon2id$v=19$m=19456,t=2,p=1$"

/** Hashes that may wait for each thread: about a second's worth on a quiet machine. */
const WAITING = 32
/** How long (ms) a login may take to hash before it is told to come back: machines that are busy with requests hash slowly. */
const PATIENCE = 10_000

/**
 * {@link PasswordHasher} with argon2id in threads of low priority, bounded in number, with a bounded queue. A flood of logins makes
 * other logins wait, or come back later, and leaves requests alone.
 */
export const PasswordsLayer = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const { PASSWORD_THREADS } = yield* Settings
    return yield* make({ threads: PASSWORD_THREADS, waiting: PASSWORD_THREADS * WAITING, patience: PATIENCE })
  })
)

/** The hasher, with these dimensions. */
export const make = Effect.fnUntraced(function* (dimensions: HashingThreads.HashingOptions) {
  const threads = yield* HashingThreads.make(dimensions)
  const run = Effect.fnUntraced(function* (password: Redacted.Redacted<string>, hash: string | undefined) {
    // Typed on another keyboard it is the same password; `Password` normalised it alike when it was chosen.
    const job = { password: Redacted.value(password).normalize("NFC"), hash, options: OPTIONS }
    const answer = yield* threads.run(job)
    return answer ?? (yield* Effect.die(new Error("argon2 refused a stored hash")))
  })

  return PasswordHasher.of({
    hash: (password) => Effect.map(run(password, undefined), String),
    verify: (hash, password) =>
      Effect.map(run(password, hash ?? NOBODY), (fits) => fits === true && hash !== undefined),
    needsRehash: (hash) => !hash.startsWith(CURRENT)
  })
})

/** A hash of today's parameters that is nobody's: comparing with it takes as long as with a user's. */
const NOBODY = `${CURRENT}${base64(randomBytes(16))}$${base64(randomBytes(32))}`

/** Base64 without padding, as the PHC string format has it. */
function base64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "")
}
