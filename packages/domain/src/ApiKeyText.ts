import { Result } from "effect"

// The text of an API key: `sk-`, a public id of 16 characters, `-`, and a secret of 49 (32 random bytes in 43 characters, and a checksum
// in 6). All of it is base62, so that a double click selects it whole between its dashes. The checksum is the CRC-32 of everything before
// it: a scanner of sources or logs recognises our keys without asking us, and a key that was cut off or mistyped is refused without a
// look into the database.

export const KEY_PREFIX = "sk-"

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const PUBLIC_CHARACTERS = 16
const SECRET_CHARACTERS = 43
const CHECKSUM_CHARACTERS = 6

/** Random bytes for the two parts. 96 bits make a public id, and 256 a secret. */
export const PUBLIC_BYTES = 12
export const SECRET_BYTES = 32

/** The lengths above, in front of the checksum and in it. */
const SHAPE = /^(sk-([0-9A-Za-z]{16})-[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/u

/** A key with its public id. */
export interface ApiKeyText {
  readonly publicId: string
  /** The whole key, as it is sent. */
  readonly text: string
}

/** The key made of these random bytes. */
export const makeKey = (publicId: string, secret: Uint8Array): ApiKeyText => {
  const body = `${KEY_PREFIX}${publicId}-${base62(secret, SECRET_CHARACTERS)}`
  return { publicId, text: body + checksumOf(body) }
}

/** A public id made of random bytes. */
export const makePublicId = (bytes: Uint8Array): string => base62(bytes, PUBLIC_CHARACTERS)

/** Whether a text is meant to be a key, and not an access token: those begin with `eyJ`. */
export const isMeantAsKey = (text: string): boolean => text.startsWith(KEY_PREFIX)

/** A key of the right shape, with the right checksum. Whether it exists only the database knows. */
export const parseKey = (text: string): Result.Result<ApiKeyText, void> => {
  const [, body, publicId, checksum] = SHAPE.exec(text) ?? []
  return body !== undefined && publicId !== undefined && checksumOf(body) === checksum
    ? Result.succeed({ publicId, text })
    : Result.fail(undefined)
}

/** The checksum of a text, as the last characters of a key. */
export const checksumOf = (body: string): string => number62(BigInt(crc32(body)), CHECKSUM_CHARACTERS)

/** The last `length` digits of the bytes as one number, padded in front. */
export const base62 = (bytes: Uint8Array, length: number): string =>
  number62(
    bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n),
    length
  )

const number62 = (number: bigint, length: number): string => {
  let rest = number
  let text = ""
  for (let place = 0; place < length; place++) {
    text = DIGITS.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return text
}

/** CRC-32 as in ISO 3309 and zlib, of ASCII text. */
export const crc32 = (text: string): number => {
  let crc = 0xff_ff_ff_ff
  for (let place = 0; place < text.length; place++) {
    crc ^= text.charCodeAt(place)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xed_b8_83_20 : 0)
  }
  return ~crc >>> 0
}
