import { Layer } from "effect"
import { make, SecureRandom } from "effect/crypto/SecureRandom"
import { randomFillSync } from "node:crypto"

/** Bytes drawn from the system at a time: asking it for each id's sixteen costs more than all else about an id. */
const DRAW = 4096
/** Who wants more than this at once is served directly. */
const SMALL = 64

/** Node's cryptographic random bytes, drawn in advance. What was given out is forgotten here. */
export const RandomnessLayer = Layer.sync(SecureRandom, () => {
  const drawn = new Uint8Array(DRAW)
  let place = DRAW
  return make((size) => {
    if (size > SMALL) return randomFillSync(new Uint8Array(size))
    if (place + size > DRAW) {
      randomFillSync(drawn)
      place = 0
    }
    const bytes = drawn.slice(place, place + size)
    drawn.fill(0, place, place + size)
    place += size
    return bytes
  })
})
