import type { Register } from "@llm-saas/api/AccountsApi"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { RegistrationRefused, User } from "@llm-saas/domain/User"
import { Accounts } from "@llm-saas/engine/Accounts"
import { Context, Effect, Layer } from "effect"
import { ClientNetworks, type Sender } from "./ClientNetworks.ts"
import { LoginThrottle } from "./LoginThrottle.ts"

/** New accounts, for everybody who asks: the same at every door. */
export class SignUps extends Context.Service<
  SignUps,
  {
    readonly register: (
      user: typeof Register.Type,
      from: Sender
    ) => Effect.Effect<User, RegistrationRefused | Unavailable>
  }
>()("@llm-saas/server/SignUps") {
  static readonly layer = Layer.effect(
    SignUps,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const networks = yield* ClientNetworks
      const throttle = yield* LoginThrottle

      const register: SignUps["Service"]["register"] = ({ email, password, tenant_id }, from) => {
        const client = networks.of(from)
        return Effect.tap(
          accounts.register({ tenantId: tenant_id, email, password, client: client.narrow }),
          ({ id }) => throttle.registered(id, client)
        )
      }
      return SignUps.of({ register })
    })
  )
}
