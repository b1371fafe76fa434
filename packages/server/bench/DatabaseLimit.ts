import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Prepared } from "./Prepare.ts"

/** The same four statements in one pipeline from pgbench, where it is installed: what the database alone can do. */
export const databaseLimit = (database: Prepared, account: { readonly tenantId: string; readonly userId: string }) => {
  const home = mkdtempSync(join(tmpdir(), "bench-"))
  const file = join(home, "me.sql")
  writeFileSync(
    file,
    [
      "\\startpipeline",
      "begin read only;",
      `select role from app.enter('${account.tenantId}', '${account.userId}', 0, 'user');`,
      "select u.id, u.email, u.role, u.status, u.created_at, t.name from app.users u join app.tenants t on t.id = u.tenant_id where u.id = app.user_id();",
      "commit;",
      "\\endpipeline"
    ].join("\n")
  )
  const run = spawnSync(
    "pgbench",
    ["-n", "-M", "prepared", "-c", "8", "-j", "1", "-T", "4", "-f", file, database.apiUrl],
    { encoding: "utf8" }
  )
  rmSync(home, { recursive: true })
  const tps = /tps = ([\d.]+)/.exec(run.stdout ?? "")?.[1]
  console.log(
    `\nThe database alone (pgbench, pipelined): ${tps === undefined ? "pgbench is not here" : `${Number(tps).toFixed(0)} transactions/s`}`
  )
}
