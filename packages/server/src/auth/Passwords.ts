import { type HashingShare, OLD_HASHES, PasswordHasher } from "@llm-saas/engine/accounts/PasswordHasher"
import { Effect, Layer, Redacted } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"
import type { Job } from "./HashingThread.ts"
import * as HashingThreads from "./HashingThreads.ts"
import { parse } from "./PhcString.ts"
import { SecretKey } from "./SecretKey.ts"
import { Settings } from "../config/Settings.ts"

/** argon2id, OWASP's minimum (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Bytes, as RFC 9106 §3.1 recommends. */
const SALT_BYTES = 16

/** Hashes that may wait for each thread: about one second of work on an idle machine. */
const WAITING = 32
/** How long (ms) a login's hash may take before the client is told to retry: machines busy with requests hash slowly. */
const PATIENCE_MS = 10_000

/**
 * {@link PasswordHasher} with argon2id in a bounded number of low-priority threads, with a bounded queue that is fair by client and by
 * tenant. A flood of logins or registrations delays or rejects itself, and leaves others' logins and all requests alone.
 */
export const PasswordsLayer = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const { PASSWORD_THREADS } = yield* Settings
    const { value } = yield* SecretKey
    return yield* make(
      { threads: PASSWORD_THREADS, waiting: PASSWORD_THREADS * WAITING, patienceMs: PATIENCE_MS },
      value
    )
  })
)

/** The hasher, with a thread pool of this size. */
export const make = (dimensions: HashingThreads.HashingOptions, secret: Redacted.Redacted) =>
  Effect.map(HashingThreads.make(dimensions), (threads) => from(threads, secret))

/**
 * The salt of an email is an HMAC of it by `secret`: the accounts it has in several tenants share the salt, so that a login compares with
 * all of them at the cost of one hash, and a client that creates accounts of another user's email makes nothing slower. It cannot be
 * predicted, and no two emails share one. Equal passwords of one email have equal hashes, which only the login's functions read. A new
 * `secret` gives new salts; stored hashes stay valid.
 */
export const from = (threads: HashingThreads.HashingThreads, secret: Redacted.Redacted): PasswordHasher["Service"] => {
  const key = createHmac("sha256", Redacted.value(secret)).update("salts of passwords").digest()
  const saltOf = (email: string) => createHmac("sha256", key).update(email).digest().subarray(0, SALT_BYTES)

  const run = Effect.fnUntraced(function* (
    password: Redacted.Redacted<string>,
    options: Job["options"],
    share: HashingShare
  ) {
    // Keyboards compose characters differently; `Password` normalised it the same way when it was chosen.
    const job = { password: Redacted.value(password).normalize("NFC"), options }
    const answer = yield* threads.run(job, share)
    return answer ?? (yield* Effect.die(new Error("argon2 refused its parameters")))
  })

  const hash: PasswordHasher["Service"]["hash"] = (password, { email, share }) =>
    run(password, { ...OPTIONS, salt: saltOf(email) }, share)

  const compare: PasswordHasher["Service"]["compare"] = Effect.fnUntraced(function* (
    password,
    { email, hashes, share }
  ) {
    const fresh = yield* hash(password, { email, share })
    const stored = hashes.map(parse)
    if (stored.includes(undefined)) yield* Effect.logError("a stored password hash is none: its account cannot log in")
    const computed = new Map([[parse(fresh)?.head, fresh]])
    for (const each of stored) {
      if (each === undefined || computed.has(each.head) || computed.size > OLD_HASHES) continue
      computed.set(each.head, yield* run(password, each.options, share))
    }
    const fits = hashes.map((text, place) => {
      const head = stored[place]?.head
      return head !== undefined && equal(text, computed.get(head) ?? "")
    })
    return { fits, hash: fresh }
  })

  return PasswordHasher.of({ hash, compare })
}

/** Compares in constant time. */
const equal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
