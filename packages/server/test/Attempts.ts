import { Layer, Redacted } from "effect"
import { Attempts } from "../src/Attempts.ts"
import { ClientNetworks } from "../src/ClientNetworks.ts"
import { SecretKey } from "../src/SecretKey.ts"

/** Attempts as the program knows them again, of guests from one and the same network. */
export const attempts = Attempts.layer.pipe(
  Layer.provide([
    Layer.succeed(SecretKey, { value: Redacted.make("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"), madeAt: undefined }),
    Layer.succeed(ClientNetworks, { of: () => ({ narrow: "192.0.2.1", wide: undefined }) })
  ])
)
