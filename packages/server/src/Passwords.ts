import { Unavailable } from "@llm-saas/domain/Refusal"
import { PasswordHasher } from "@llm-saas/engine/PasswordHasher"
import { hash, verify } from "@node-rs/argon2"
import { Effect, Layer, Redacted, Semaphore } from "effect"
import { availableParallelism } from "node:os"

/** argon2id, OWASP's minimum (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. 2 is argon2id in the library's enum. */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const CURRENT = "$argon2id$v=19$m=19456,t=2,p=1$"

/** At most one hash a core, and one core is left to requests. */
const AT_ONCE = Math.max(1, availableParallelism() - 1)
/** Hashes that may wait: about five seconds' worth. */
const WAITING = AT_ONCE * 100

/** Runs in the thread pool, a bounded number at once, so that a flood of logins leaves the event loop and a core to others. */
export const PasswordsLayer = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const permits = yield* Semaphore.make(AT_ONCE)
    // What an unknown user's password is compared with, so that it takes as long as a known one's.
    const nobody = yield* Effect.promise(() => hash("nobody has this password", PARAMETERS))
    let waiting = 0

    const bounded = <A>(work: () => Promise<A>): Effect.Effect<A, Unavailable> =>
      Effect.suspend(() => {
        if (waiting >= WAITING) return Effect.fail(new Unavailable({ retry_after: 5 }))
        waiting++
        // A thread cannot be stopped: the permit is held until it is done, whether the client still waits or not.
        return permits
          .withPermits(1)(Effect.uninterruptible(Effect.promise(work)))
          .pipe(Effect.ensuring(Effect.sync(() => void waiting--)))
      })

    return PasswordHasher.of({
      hash: (password) => bounded(() => hash(Redacted.value(password), PARAMETERS)),
      verify: (known, password) => {
        const typed = Redacted.value(password).normalize("NFC")
        return Effect.map(
          bounded(() => verify(known ?? nobody, typed)),
          (fits) => fits && known !== undefined
        )
      },
      needsRehash: (known) => !known.startsWith(CURRENT)
    })
  })
)
