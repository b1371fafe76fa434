import { AdminRpc } from "@llm-saas/api/AdminRpc"
import { Users } from "@llm-saas/engine/Users"
import { Effect } from "effect"
import { Attempts } from "../Attempts.ts"
import { newUser } from "../handlers/admin.ts"

/** `admin.…`. */
export const AdminCalls = AdminRpc.toLayer(
  Effect.map(Effect.all([Users, Attempts]), ([users, attempts]) =>
    AdminRpc.of({
      "admin.createUser": ({ idempotency_key, ...user }) => users.create(newUser(attempts, user, idempotency_key)),
      "admin.changeUser": ({ id, ...change }) => users.change(id, change),
      "admin.deleteUser": ({ id }) => users.remove(id)
    })
  )
)
