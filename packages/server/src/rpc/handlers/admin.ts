import { AdminRpc } from "@llm-saas/api/AdminRpc"
import { Users } from "@llm-saas/engine/accounts/Users"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { newUser } from "../../http/handlers/admin.ts"

/** `admin.…`. */
export const AdminCalls = AdminRpc.toLayer(
  Effect.map(Effect.all([Users, CreationAttempts]), ([users, attempts]) =>
    AdminRpc.of({
      "admin.createUser": ({ idempotency_key, ...user }) => users.create(newUser(attempts, user, idempotency_key)),
      "admin.user": ({ id }) => users.get(id),
      "admin.changeUser": ({ id, ...change }) => users.change(id, change),
      "admin.deleteUser": ({ id }) => users.remove(id)
    })
  )
)
