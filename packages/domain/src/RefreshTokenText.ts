import { Result } from "effect"
import { base62, checksumOf } from "./ApiKeyText.ts"

// The text of a refresh token: `rt_`, 32 bytes in 43 characters of base62, and a checksum in 6, as an API key has one (ApiKeyText.ts):
// scanners recognise it without asking us, and one that was cut off or mistyped is refused without a look into the database.

const PREFIX = "rt_"
const CHARACTERS = 43
const SHAPE = /^(rt_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/u

/** The refresh token made of 32 bytes. */
export const makeRefreshToken = (secret: Uint8Array): string => {
  const body = PREFIX + base62(secret, CHARACTERS)
  return body + checksumOf(body)
}

/** A text of the right shape, with the right checksum. Whether it renews a session only the database knows. */
export const parseRefreshToken = (text: string): Result.Result<string, void> => {
  const [, body, checksum] = SHAPE.exec(text) ?? []
  return body !== undefined && checksumOf(body) === checksum ? Result.succeed(text) : Result.fail(undefined)
}
