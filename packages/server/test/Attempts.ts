import { Layer, Redacted } from "effect"
import { CreationAttempts } from "../src/auth/CreationAttempts.ts"
import { ClientNetworks } from "../src/config/ClientNetworks.ts"
import { SecretKey } from "../src/auth/SecretKey.ts"

/** The program's CreationAttempts, with all guests in one network. */
export const attempts = CreationAttempts.layer.pipe(
  Layer.provide([
    Layer.succeed(SecretKey, { value: Redacted.make("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"), madeAt: undefined }),
    Layer.succeed(ClientNetworks, { of: () => ({ narrow: "192.0.2.1", wide: undefined }) })
  ])
)
