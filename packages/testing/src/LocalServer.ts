import * as Account from "@llm-saas/embedded-postgres/Account"
import { run } from "@llm-saas/embedded-postgres/Command"
import { Effect, Redacted } from "effect"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

// A server of the same version as this machine's client programs: pg_dump refuses newer servers, such as the embedded one.

const ROOTS = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]

/** A directory with both kinds of programs. */
const programs = ROOTS.filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root).map((name) => join(root, name, "bin")))
  .toReversed()
  .find((bin) => ["initdb", "pg_ctl", "pg_dump", "pg_restore", "psql"].every((name) => existsSync(join(bin, name))))

/** Without one, tests of backups are skipped, and say so. */
export const noServer = programs === undefined
if (noServer)
  process.emitWarning(
    "Tests of backup and restore are skipped: this machine has no directory with initdb, pg_ctl, pg_dump and pg_restore. `apt-get install --no-install-recommends postgresql` makes one."
  )

/** A program beside that server. */
export const program = (name: string) => join(programs ?? "", name)

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** A new server with the superuser `postgres`, removed with the scope. */
export const localServer = Effect.gen(function* () {
  const account = yield* Account.forData(undefined)
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = mkdtempSync(join(tmpdir(), "llm-saas-test-"))
      writeFileSync(join(made, "password"), "secret of the superuser\n")
      for (const path of [made, join(made, "password")])
        if (Account.isOther(account)) chownSync(path, account.uid, account.gid)
      return made
    }),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const data = join(directory, "data")
  const ask = (name: string, args: ReadonlyArray<string>) =>
    Effect.flatMap(
      run(program(name), args, { account, cwd: directory, silent: name === "pg_ctl" }),
      ({ code, output }) => (code === 0 ? Effect.void : Effect.die(new Error(`${name}: ${output}`)))
    )
  yield* ask("initdb", [
    `--pgdata=${data}`,
    "--username=postgres",
    `--pwfile=${join(directory, "password")}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync"
  ])
  const port = yield* freePort
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`
  yield* Effect.acquireRelease(
    ask("pg_ctl", ["start", "-D", data, "-w", "-l", join(directory, "log"), "-o", settings]),
    () => ask("pg_ctl", ["stop", "-D", data, "-w", "-m", "immediate"])
  )
  const url = Redacted.make(
    `postgresql://postgres:${encodeURIComponent("secret of the superuser")}@127.0.0.1:${port}/postgres`
  )
  return { url, port }
})
