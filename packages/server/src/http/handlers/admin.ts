import { Api } from "@llm-saas/api/Api"
import type { CreateUser } from "@llm-saas/api/AdminApi"
import { Users } from "@llm-saas/engine/accounts/Users"
import { Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"

/** `/admin/users…`. */
export const AdminHandlers = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const users = yield* Users
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      createUser: ({ headers, payload }) => users.create(newUser(attempts, payload, headers["idempotency-key"])),
      user: ({ params }) => users.get(params.id),
      changeUser: ({ params, payload }) => users.change(params.id, payload),
      deleteUser: ({ params }) => users.remove(params.id)
    })
  })
)

/** A user as an admin's request describes one, and the idempotency attempt it belongs to. */
export const newUser = (
  attempts: CreationAttempts["Service"],
  { email, password, role = "user" }: typeof CreateUser.Type,
  key: string | undefined
): Parameters<Users["Service"]["create"]>[0] => ({
  email,
  password,
  role,
  attempt: attempts.of("admin.createUser", key, [email, Redacted.value(password), role])
})
