// Recovery codes: for an account whose other second factors are lost. 25 characters of Crockford's base 32 in groups of five: 125 random
// bits, so that a plain hash keeps them (OWASP ASVS 5.0, 6.5.2: from 112 bits on), and guessing one is out of the question.

const CHARACTERS = "0123456789abcdefghjkmnpqrstvwxyz"
const LENGTH = 25

/** Codes an account has at once. */
export const RECOVERY_CODES = 10
/** Random bytes of a code; three of their bits are left out. */
export const RECOVERY_BYTES = 16

/** The code made of these random bytes, as people read it. */
export const makeRecoveryCode = (bytes: Uint8Array): string => {
  let rest = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  let text = ""
  for (let place = 0; place < LENGTH; place++) {
    text = CHARACTERS.charAt(Number(rest % 32n)) + text
    rest /= 32n
  }
  return text.replaceAll(/.{5}(?=.)/gu, "$&-")
}

/** {@link LENGTH} of {@link CHARACTERS}. */
const SHAPE = /^[0-9a-hjkmnp-tv-z]{25}$/u

/**
 * A code as typed, in the form that is hashed; undefined: it cannot be one. Case, dashes and spaces do not matter, and `o`, `i`, `l` are
 * read as the digits they look like (Crockford).
 */
export const readRecoveryCode = (typed: string): string | undefined => {
  const code = typed.replaceAll(/[\s-]/gu, "").toLowerCase().replaceAll("o", "0").replaceAll(/[il]/gu, "1")
  return SHAPE.test(code) ? code : undefined
}
