import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

// A passkey in software, written from WebAuthn Level 3 (§6.1, §6.5, §7) and CBOR (RFC 8949), and not with the server's library.

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest()
const url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")

const head = (major: number, length: number): Buffer =>
  length < 24
    ? Buffer.from([(major << 5) | length])
    : length < 256
      ? Buffer.from([(major << 5) | 24, length])
      : Buffer.from([(major << 5) | 25, length >> 8, length & 0xff])
const whole = (value: number) => (value >= 0 ? head(0, value) : head(1, -1 - value))
const byteString = (bytes: Uint8Array) => Buffer.concat([head(2, bytes.length), bytes])
const textString = (text: string) => Buffer.concat([head(3, text.length), Buffer.from(text)])
const map = (...entries: ReadonlyArray<readonly [Buffer, Buffer]>) =>
  Buffer.concat([head(5, entries.length), ...entries.flat()])

const PRESENT = 0x01
const VERIFIED = 0x04
const ATTESTED = 0x40

/** Members of the options that are read. */
const textOf = (options: unknown, ...path: ReadonlyArray<string>): string => {
  let value: unknown = options
  for (const name of path) value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
  if (typeof value !== "string") throw new Error(`the options have no ${path.join(".")}`)
  return value
}

/** A device with one passkey. */
export class SoftwareAuthenticator {
  readonly id = url(randomBytes(32))
  readonly #origin: string
  readonly #privateKey: KeyObject
  readonly #point: { readonly x: Buffer; readonly y: Buffer }
  #count = 0

  constructor(origin: string) {
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
    const { x = "", y = "" } = publicKey.export({ format: "jwk" })
    this.#privateKey = privateKey
    this.#point = { x: Buffer.from(x, "base64url"), y: Buffer.from(y, "base64url") }
  }

  /** The answer of `navigator.credentials.create`. */
  create(options: unknown): object {
    const id = Buffer.from(this.id, "base64url")
    const key = map(
      [whole(1), whole(2)],
      [whole(3), whole(-7)],
      [whole(-1), whole(1)],
      [whole(-2), byteString(this.#point.x)],
      [whole(-3), byteString(this.#point.y)]
    )
    const length = Buffer.from([id.length >> 8, id.length & 0xff])
    const attested = Buffer.concat([Buffer.alloc(16), length, id, key])
    const data = Buffer.concat([this.#data(textOf(options, "rp", "id"), PRESENT | VERIFIED | ATTESTED), attested])
    const attestation = map(
      [textString("fmt"), textString("none")],
      [textString("attStmt"), map()],
      [textString("authData"), byteString(data)]
    )
    return this.#answer({
      clientDataJSON: url(this.#client("webauthn.create", textOf(options, "challenge"))),
      attestationObject: url(attestation),
      transports: ["internal"]
    })
  }

  /** The answer of `navigator.credentials.get`. */
  get(options: unknown): object {
    this.#count++
    const data = this.#data(textOf(options, "rpId"), PRESENT | VERIFIED)
    const client = this.#client("webauthn.get", textOf(options, "challenge"))
    const signature = sign("sha256", Buffer.concat([data, sha256(client)]), this.#privateKey)
    return this.#answer({ clientDataJSON: url(client), authenticatorData: url(data), signature: url(signature) })
  }

  #client(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }))
  }

  #data(host: string, flags: number): Buffer {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(this.#count)
    return Buffer.concat([sha256(host), Buffer.from([flags]), count])
  }

  #answer(response: object): object {
    return { id: this.id, rawId: this.id, type: "public-key", response, clientExtensionResults: {} }
  }
}
