import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { EmailTaken, LastAdmin, User, UserId, UserNotFound } from "@llm-saas/domain/User"
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
    error: Schema.Union([...refusals, EmailTaken, IdempotencyMismatch])
  }),
  Rpc.make("admin.changeUser", {
    payload: Schema.Struct({ id: UserId, ...change }).check(changesSomething),
    success: User,
    error: Schema.Union([...refusals, UserNotFound, LastAdmin])
  }),
  Rpc.make("admin.deleteUser", {
    payload: { id: UserId },
    error: Schema.Union([...refusals, UserNotFound, LastAdmin])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin") {}
