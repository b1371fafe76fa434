import { AccountsRpc } from "@llm-saas/api/AccountsRpc"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Effect } from "effect"
import { CurrentSender } from "../OpenCalls.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { SignUps } from "../../auth/SignUps.ts"

/** `accounts.…`. */
export const AccountsCalls = AccountsRpc.toLayer(
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const sessions = yield* Sessions
    const signUps = yield* SignUps
    return AccountsRpc.of({
      "accounts.register": ({ idempotency_key, ...user }) =>
        Effect.flatMap(CurrentSender, (from) => signUps.register({ ...user, key: idempotency_key }, from)),
      "accounts.login": (credentials) => Effect.flatMap(CurrentSender, (from) => sessions.login(credentials, from)),
      "accounts.me": () => accounts.me,
      "accounts.changePassword": ({ current_password, new_password, proof }) =>
        Effect.flatMap(CurrentSender, (from) =>
          sessions.changePassword({ current: current_password, next: new_password, proof }, from)
        )
    })
  })
)
