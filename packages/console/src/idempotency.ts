import { useState } from "react"

/** A unique text: 128 random bits. `crypto.randomUUID` is not there on pages over plain HTTP. */
const fresh = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/**
 * The key of a request that must not be carried out twice (`Idempotency-Key`), by its body: the same body sent again, after a lost answer, has
 * the same key, and another body another one.
 */
export const useIdempotencyKey = (): ((body: unknown) => string) => {
  const [keys] = useState(() => new Map<string, string>())
  return (body) => {
    const text = JSON.stringify(body)
    const key = keys.get(text) ?? fresh()
    keys.set(text, key)
    return key
  }
}
