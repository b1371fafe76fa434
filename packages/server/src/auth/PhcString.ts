/** A parsed password hash: https://github.com/P-H-C/phc-string-format, as argon2 writes it. */
export interface PhcString {
  /** Everything but the hash itself: equal heads mean equal parameters and salts. */
  readonly head: string
  readonly options: {
    readonly memoryCost: number
    readonly timeCost: number
    readonly parallelism: number
    /** Bytes. */
    readonly outputLen: number
    readonly salt: Uint8Array
  }
}

const FORM =
  /^(?<head>\$argon2id\$v=19\$m=(?<memory>\d{1,7}),t=(?<time>\d{1,3}),p=(?<lanes>\d{1,2})\$(?<salt>[A-Za-z0-9+/]{11,86}))\$(?<hash>[A-Za-z0-9+/]{16,172})$/u

/** Undefined unless it is a hash of argon2id, version 1.3, within the bounds of RFC 9106 §3.1. */
export const parse = (text: string): PhcString | undefined => {
  const groups = FORM.exec(text)?.groups
  if (groups === undefined) return undefined
  const { hash = "", head = "", lanes, memory, salt = "", time } = groups
  const [memoryCost, timeCost, parallelism] = [Number(memory), Number(time), Number(lanes)]
  if (timeCost < 1 || parallelism < 1 || memoryCost < 8 * parallelism) return undefined
  const outputLen = Buffer.from(hash, "base64").length
  return { head, options: { memoryCost, timeCost, parallelism, outputLen, salt: Buffer.from(salt, "base64") } }
}
