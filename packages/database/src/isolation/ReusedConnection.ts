import type { Actor } from "@llm-saas/domain/Actor"
import { IsolationCheck, IsolationFinding } from "@llm-saas/domain/Isolation"
import { Effect, Exit, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Connection } from "../connections/Session.ts"
import type { Inspection } from "./Inspection.ts"

/** The actor whose room is entered to see what is left of it afterwards; nothing is read or written in their name. */
export type Visitor = Pick<Actor["Service"], "tenantId" | "userId" | "tokenEpoch">

const ENDS = ["commit", "rollback", "error"] as const

const decodeLeft = Schema.decodeUnknownEffect(Schema.Struct({ clean: Schema.Boolean, state: Schema.String }))

const LEFT = `
  select current_user = session_user and concat(tenant, person, rank) = '' as clean,
    format('role %s, tenant %L, user %L, rank %L', current_user, tenant, person, rank) as state
  from (values (
    coalesce(current_setting('app.tenant_id', true), ''), coalesce(current_setting('app.user_id', true), ''),
    coalesce(current_setting('app.role', true), '')
  )) as kept (tenant, person, rank)`

/**
 * What a connection keeps of a room for the next borrower: nothing, however the room ended. Not inside a transaction. Not interrupted: it
 * begins transactions, and an interruption between two of their statements would leave the connection in the room.
 */
export const reused = Effect.fnUntraced(function* (
  connection: Connection,
  { tokenEpoch, tenantId, userId }: Visitor
): Effect.fn.Return<Inspection, SqlError> {
  const findings: Array<IsolationFinding> = []
  for (const end of ENDS) {
    yield* connection.query("begin", [], false)
    const entered = yield* Effect.exit(
      connection.query("select role from app.enter($1::uuid, $2::uuid, $3::integer, 'user')", [
        tenantId,
        userId,
        tokenEpoch
      ])
    )
    if (end === "error") yield* Effect.exit(connection.query("select 1 / 0", []))
    yield* connection.query(end === "commit" ? "commit" : "rollback", [], false)
    const { rows } = yield* connection.query(LEFT, [])
    const { clean, state } = yield* Effect.orDie(decodeLeft(rows[0]))
    if (!clean) findings.push(new IsolationFinding({ check: REUSED, object: `after ${end}`, detail: state }))
    if (Exit.isFailure(entered))
      findings.push(
        new IsolationFinding({ check: REUSED, object: `before ${end}`, detail: "the room was not entered" })
      )
  }
  return {
    checks: [new IsolationCheck({ kind: "trial", name: REUSED, tried: ENDS.length, findings: findings.length })],
    findings,
    notes: []
  }
}, Effect.uninterruptible)

const REUSED = "a connection used again"
