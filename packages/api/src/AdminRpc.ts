import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { EmailTaken, LastAdmin, ManagedUser, User, UserId, UserNotFound } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { change, changesSomething, CreateUser } from "./AdminApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"

/** Management of a tenant's users by its admins: `/admin/users…`. */
export class AdminRpc extends RpcGroup.make(
  Rpc.make("admin.createUser", {
    payload: { ...CreateUser.fields, ...keyMember },
    success: User,
    error: Schema.Union([...refusals, EmailTaken, PasswordRefused, IdempotencyMismatch])
  }),
  Rpc.make("admin.user", {
    payload: { id: UserId },
    success: ManagedUser,
    error: Schema.Union([...refusals, UserNotFound])
  }),
  Rpc.make("admin.changeUser", {
    payload: Schema.Struct({ id: UserId, ...change }).check(changesSomething),
    success: ManagedUser,
    error: Schema.Union([...refusals, UserNotFound, LastAdmin, LimitBeyondPlan])
  }),
  Rpc.make("admin.deleteUser", {
    payload: { id: UserId },
    error: Schema.Union([...refusals, UserNotFound, LastAdmin])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin") {}
