import { HOTP, Secret } from "otpauth"

/** The code of an authenticator with this secret, so many steps from now. */
export const codeAt = (secret: string, steps = 0): string =>
  new HOTP({ secret: Secret.fromBase32(secret), algorithm: "SHA1", digits: 6 }).generate({
    counter: Math.floor(Date.now() / 30_000) + steps
  })

/** A code that is right at no time near. */
export const wrongCode = (secret: string): string => {
  const right = new Set([-2, -1, 0, 1, 2].map((steps) => codeAt(secret, steps)))
  return ["000000", "111111", "222222", "333333", "444444", "555555"].find((code) => !right.has(code)) ?? "666666"
}
