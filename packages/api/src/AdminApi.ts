import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Password } from "@llm-saas/domain/Password"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { EmailInput, EmailTaken, LastAdmin, Role, User, UserId, UserNotFound, UserStatus } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"

/** A user to create. */
export const CreateUser = Schema.Struct({
  email: EmailInput,
  password: Password,
  role: Schema.optionalKey(Role)
}).annotate({
  identifier: "CreateUser",
  description: "`role` is `user` unless said otherwise."
})

const createUser = HttpApiEndpoint.post("createUser", "/admin/users", {
  headers: keyHeader,
  payload: CreateUser,
  success: User.pipe(HttpApiSchema.status(201)),
  error: [EmailTaken, IdempotencyMismatch, Unavailable]
})
  .annotateMerge(
    Examples.answers(201, Examples.colleague, {
      email: Examples.colleague.email,
      password: "password123",
      role: "user"
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Create a user",
      description: "In the admin's own tenant, open registration or not."
    })
  )

/** Changeable members of a user; those left out stay as they are. */
export const change = { role: Schema.optionalKey(Role), status: Schema.optionalKey(UserStatus) }

type Change = { readonly role?: Role; readonly status?: UserStatus }

/** A change without members is invalid. */
export const changesSomething = Schema.makeFilter(
  ({ role, status }: Change) =>
    role === undefined && status === undefined ? "Expected role, status or both" : undefined,
  {
    expected: "role, status or both",
    toJsonSchema: () => ({ anyOf: [{ required: ["role"] }, { required: ["status"] }] })
  }
)

const changeUser = HttpApiEndpoint.patch("changeUser", "/admin/users/:id", {
  params: { id: UserId },
  payload: Schema.Struct(change).check(changesSomething).annotate({ identifier: "ChangeUser" }),
  success: User,
  error: [UserNotFound, LastAdmin, Unavailable]
})
  .annotateMerge(Examples.answers(200, { ...Examples.colleague, role: "admin" }, { role: "admin" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a user's role or status",
      description: "Counts from the user's very next request. The last active admin stays one."
    })
  )

const deleteUser = HttpApiEndpoint.delete("deleteUser", "/admin/users/:id", {
  params: { id: UserId },
  success: HttpApiSchema.NoContent,
  error: [UserNotFound, LastAdmin, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete a user",
    description:
      "Gone at once, with everything that is theirs; their tokens stop working with the next request, and the address can be registered again. Nothing of what they wrote is left in the database some seconds later; the account of what it took stays."
  })
)

/** Management of a tenant's users by its admins. */
export class AdminApi extends HttpApiGroup.make("admin")
  .add(createUser, changeUser, deleteUser)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(OpenApi.annotations({ title: "Admin", description: "For a tenant's admins: its users." })) {}
