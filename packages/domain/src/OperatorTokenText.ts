import { base62, checksumOf } from "./ApiKeyText.ts"

// The text of an operator's token: `op-` and a secret of 49 characters, made as those of API keys (ApiKeyText.ts).

const SECRET_CHARACTERS = 43
const SHAPE = /^(op-[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/u

/** The token made of 32 random bytes. */
export const makeOperatorToken = (secret: Uint8Array): string => {
  const body = `op-${base62(secret, SECRET_CHARACTERS)}`
  return body + checksumOf(body)
}

/** Whether a text can be a token: another one is refused without a look into the database. */
export const isOperatorToken = (text: string): boolean => {
  const [, body, checksum] = SHAPE.exec(text) ?? []
  return body !== undefined && checksumOf(body) === checksum
}
