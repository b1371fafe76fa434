import { type Compared, checkLedger } from "@llm-saas/database/ledger/LedgerCheck"
import { rebuildUsage } from "@llm-saas/database/ledger/UsageRebuild"
import { Console, Effect, Schema } from "effect"
import * as Command from "effect/cli/Command"
import { administrator } from "../Database.ts"
import { named } from "./CommandLine.ts"
import { option } from "./Program.ts"

// `npm run ledger:check`: whether the sums of usage, the ledger, the accounts of answers and the budgets agree.

/** The books do not agree: what was printed says where. */
export class BooksDiffer extends Schema.TaggedError<BooksDiffer>()("BooksDiffer", { differences: Schema.Int }) {
  override get message(): string {
    return `${this.differences} difference${this.differences === 1 ? "" : "s"} in the books`
  }
}

const checking = Effect.fnUntraced(function* ({
  json,
  rebuild
}: {
  readonly json: boolean
  readonly rebuild: boolean
}) {
  const admin = yield* administrator
  if (rebuild) {
    const sums = yield* rebuildUsage(admin)
    yield* Console.error(`${sums} sums were built from the ledger`)
  }
  const compared = yield* checkLedger(admin)
  yield* Console.log(json ? JSON.stringify(compared, undefined, 2) : compared.map(told).join("\n"))
  const differences = compared.reduce((sum, each) => sum + each.differences, 0)
  if (differences > 0) return yield* new BooksDiffer({ differences })
})

const told = ({ differences, first, name }: Compared): string =>
  [
    `${name}: ${differences === 0 ? "the same" : `${differences} differences`}`,
    ...first.map((line) => `  ${line}`),
    ...(differences > first.length ? [`  and ${differences - first.length} more`] : [])
  ].join("\n")

export const ledgerCheck = Command.make(
  named("ledger:check"),
  {
    rebuild: option("rebuild", "builds the sums of usage from the ledger first"),
    json: option("json", "for programs")
  },
  checking
).pipe(Command.withDescription("Do usage, ledger, answers and budgets agree? Exit code 1 if not"))
