const SAMPLE =
  /change[-_ ]?(?:me|this|it)|replace[-_ ]?|secret|sample|example|default|password|placeholder|insecure|your[-_ ]|<[^<>\n]*>|\.\.\./iu
const REPETITION = /^(.{1,16}?)\1+$/su

/**
 * Why a key is too weak to sign with in production, or undefined. HS256 asks for 256 bits (RFC 7518 §3.2); what randomness looks
 * like cannot be proved, but the keys people leave in place can be told: samples, and patterns. Of 32 random hexadecimal digits,
 * the least that passes, fewer than 8 kinds come up once in some ten million keys.
 */
export const weakness = (key: string): string | undefined => {
  if (Buffer.byteLength(key) < 32) return "it has fewer than 32 bytes"
  if (SAMPLE.test(key)) return "it looks like a sample value"
  return new Set(key).size < 8 || REPETITION.test(key) ? "it repeats itself" : undefined
}
