const SAMPLE =
  /change[-_ ]?(?:me|this|it)|replace[-_ ]?|secret|sample|example|default|password|placeholder|insecure|your[-_ ]|<[^<>\n]*>|\.\.\./iu
const REPETITION = /^(.{1,16}?)\1+$/su

/**
 * Why a key is too weak to sign with in production, or undefined. HS256 asks for 256 bits (RFC 7518 §3.2). Randomness cannot be proved,
 * but common weak keys can be recognised: samples and patterns. Of 32 random hexadecimal digits, the shortest key that passes, one in
 * some ten million has fewer than 8 distinct ones.
 */
export const weakness = (key: string): string | undefined => {
  if (Buffer.byteLength(key) < 32) return "it has fewer than 32 bytes"
  if (SAMPLE.test(key)) return "it looks like a sample value"
  return new Set(key).size < 8 || REPETITION.test(key) ? "it repeats itself" : undefined
}
