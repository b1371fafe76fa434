import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { allowance, type AllowanceChange, LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { Password } from "@llm-saas/domain/Password"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { Unavailable } from "@llm-saas/domain/Refusal"
import {
  EmailInput,
  EmailTaken,
  LastAdmin,
  ManagedUser,
  Role,
  User,
  UserId,
  UserNotFound,
  UserStatus
} from "@llm-saas/domain/User"
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
  error: [EmailTaken, PasswordRefused, IdempotencyMismatch, Unavailable]
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
export const change = { role: Schema.optionalKey(Role), status: Schema.optionalKey(UserStatus), ...allowance }

type Change = AllowanceChange & { readonly role?: Role; readonly status?: UserStatus }

const SOME = "at least one of role, status, limits, budget"

/** A change without members is invalid. */
export const changesSomething = Schema.makeFilter(
  ({ budget, limits, role, status }: Change) =>
    role === undefined && status === undefined && limits === undefined && budget === undefined
      ? `Expected ${SOME}`
      : undefined,
  {
    expected: SOME,
    toJsonSchema: () => ({ anyOf: ["role", "status", "limits", "budget"].map((member) => ({ required: [member] })) })
  }
)

const user = HttpApiEndpoint.get("user", "/admin/users/:id", {
  params: { id: UserId },
  success: ManagedUser,
  error: [UserNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.managed))
  .annotateMerge(
    OpenApi.annotations({ summary: "Read a user", description: "With the limits and the budget of their own." })
  )

const changeUser = HttpApiEndpoint.patch("changeUser", "/admin/users/:id", {
  params: { id: UserId },
  payload: Schema.Struct(change).check(changesSomething).annotate({ identifier: "ChangeUser" }),
  success: ManagedUser,
  error: [UserNotFound, LastAdmin, LimitBeyondPlan, Unavailable]
})
  .annotateMerge(Examples.answers(200, { ...Examples.managed, role: "admin" }, { role: "admin" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a user's role, status, limits or budget",
      description:
        "Counts from the user's very next request. The last active admin stays one. Limits and a budget hold for all that the user asks, by login and with keys, within the tenant's plan. Of `limits` those left out stay, and null takes one away; `budget` is replaced as a whole."
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
  .add(createUser, user, changeUser, deleteUser)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(OpenApi.annotations({ title: "Admin", description: "For a tenant's admins: its users." })) {}
