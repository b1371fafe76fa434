import { IsolationCheck, IsolationFinding } from "@llm-saas/domain/Isolation"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { failedStatement } from "../MigrationFailed.ts"
import { sqlState } from "../PostgresError.ts"

/** The result of several checks. */
export interface Inspection {
  readonly checks: ReadonlyArray<IsolationCheck>
  readonly findings: ReadonlyArray<IsolationFinding>
  readonly notes: ReadonlyArray<string>
}

/** The results of several inspections as one. */
export const together = (parts: ReadonlyArray<Inspection>): Inspection => ({
  checks: parts.flatMap(({ checks }) => checks),
  findings: parts.flatMap(({ findings }) => findings),
  notes: parts.flatMap(({ notes }) => notes)
})

/** A check that PostgreSQL refuses (class 42: no right, no such object) is a finding; one that cannot run now is not. */
export const tried = (name: string, check: Effect.Effect<Inspection, SqlError>): Effect.Effect<Inspection, SqlError> =>
  Effect.catch(check, (error) =>
    sqlState(error)?.startsWith("42") === true
      ? Effect.succeed({
          checks: [new IsolationCheck({ kind: "rule", name, tried: 0, findings: 1 })],
          findings: [
            new IsolationFinding({
              check: name,
              object: name,
              detail: `not possible: ${failedStatement(error).detail}`
            })
          ],
          notes: []
        })
      : Effect.fail(error)
  )
