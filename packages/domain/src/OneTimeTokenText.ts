import { base62, checksumOf } from "./ApiKeyText.ts"

// The text of a one-time token, as it is in the link of a mail: `ot_` and a secret of 49 characters, made as those of API keys
// (ApiKeyText.ts).

const SECRET_CHARACTERS = 43
const SHAPE = /^(ot_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/u

/** The token made of 32 bytes that cannot be guessed. */
export const makeOneTimeToken = (secret: Uint8Array): string => {
  const body = `ot_${base62(secret, SECRET_CHARACTERS)}`
  return body + checksumOf(body)
}

/** Whether a text can be a token: another one is refused without a look into the database. */
export const isOneTimeToken = (text: string): boolean => {
  const [, body, checksum] = SHAPE.exec(text) ?? []
  return body !== undefined && checksumOf(body) === checksum
}
