import { Api } from "@llm-saas/api/Api"
import { Users } from "@llm-saas/engine/Users"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"

/** `/admin/users…`. */
export const AdminHandlers = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const users = yield* Users
    return handlers.handleAll({
      createUser: ({ payload }) => users.create({ ...payload, role: payload.role ?? "user" }),
      changeUser: ({ params, payload }) => users.change(params.id, payload),
      deleteUser: ({ params }) => users.remove(params.id)
    })
  })
)
