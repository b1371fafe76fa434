import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import * as Databases from "@llm-saas/database/backup/Databases"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

/**
 * A PostgreSQL whose commits wait for the write-ahead log, or do not where they say so: those are lost in a crash. They are written every ten
 * seconds, so that there are some.
 */
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "on",
  wal_writer_delay: "10s",
  autovacuum: "off",
  max_connections: 100
}

/** Stops PostgreSQL at once, as a crash does, and starts it again on the same data. */
export class Crash extends Context.Service<Crash, { readonly now: Effect.Effect<void, unknown, Scope.Scope> }>()(
  "test/money/Crash"
) {
  /** With the file's database on that server. */
  static readonly layer = Layer.effectContext(
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const made = mkdtempSync(join(tmpdir(), "llm-saas-crash-"))
          chmodSync(made, 0o755)
          return made
        }),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      const server = yield* EmbeddedPostgres.make({ directory, settings: SETTINGS })
      const name = "crashing"
      yield* Databases.create(server.url, name)
      const adminUrl = Databases.urlOf(server.url, name)
      yield* migrate(adminUrl)
      const password = Redacted.make(randomUUID())
      const database = TestDatabase.of({
        name,
        adminUrl,
        apiUrl: yield* prepareLogin(adminUrl, "api", password),
        jobsUrl: yield* prepareLogin(adminUrl, "jobs", password)
      })
      const now = Effect.gen(function* () {
        const pid = Number(readFileSync(join(server.dataDir, "postmaster.pid"), "utf8").split("\n")[0])
        yield* Effect.promise(async () => {
          process.kill(pid, "SIGQUIT")
          while (isAlive(pid)) await pause(20)
        })
        yield* EmbeddedPostgres.make({ directory, port: server.port, settings: SETTINGS })
      })
      return Context.make(TestDatabase, database).pipe(Context.add(Crash, Crash.of({ now })))
    }).pipe(Effect.orDie)
  )
}

const isAlive = (pid: number) => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}
