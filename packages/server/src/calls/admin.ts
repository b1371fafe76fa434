import { AdminRpc } from "@llm-saas/api/AdminRpc"
import { Users } from "@llm-saas/engine/Users"
import { Effect } from "effect"

/** `admin.…`. */
export const AdminCalls = AdminRpc.toLayer(
  Effect.map(Users, (users) =>
    AdminRpc.of({
      "admin.createUser": (user) => users.create({ ...user, role: user.role ?? "user" }),
      "admin.changeUser": ({ id, ...change }) => users.change(id, change),
      "admin.deleteUser": ({ id }) => users.remove(id)
    })
  )
)
