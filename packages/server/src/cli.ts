import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import * as Command from "effect/cli/Command"
import { auditGrant, auditIsolation, auditRevoke } from "./commands/Audit.ts"
import { dbBackup, dbRestore } from "./commands/BackupCommands.ts"
import { keysRotate } from "./commands/KeyCommands.ts"
import { ledgerCheck } from "./commands/LedgerCommands.ts"
import { operator } from "./commands/OperatorCommands.ts"
import { program, run } from "./commands/Program.ts"
import { dbMigrate, dbNew, dbPsql, dbRollback, dbSchema, dbStatus } from "./commands/SchemaCommands.ts"
import { Settings } from "./config/Settings.ts"
import { RolesLayer } from "./Database.ts"
import { exitCode, explain } from "./process/Startup.ts"

// `npm run db:…`, `keys:…`, `ledger:…`, `audit:…` and `operator`: commands for operators, developers and auditors.

program.pipe(
  Command.withSubcommands([
    dbMigrate,
    dbStatus,
    dbRollback,
    dbBackup,
    dbRestore,
    dbNew,
    dbPsql,
    dbSchema,
    keysRotate,
    ledgerCheck,
    auditIsolation,
    auditGrant,
    auditRevoke,
    operator
  ]),
  // Read by a command that runs: `--help` needs none.
  Command.provide(Layer.provideMerge(RolesLayer, Layer.fresh(Settings.layerCommands))),
  run(process.argv.slice(2)),
  Effect.tapCause(explain),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
