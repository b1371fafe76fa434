import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type Account, isOther } from "./Account.ts"
import type { Binaries } from "./Binaries.ts"
import { run, windows } from "./Command.ts"
import { attempt, EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"
import { alive } from "./Processes.ts"

/** The server's log is emptied at a start when it is larger than this. */
const LOG_LIMIT_BYTES = 10_000_000

/** The directory of one cluster: its data, the administrator's password, the log and the leases. */
export interface ClusterDirectory {
  readonly directory: string
  readonly data: string
  readonly log: string
  readonly users: string
  readonly account: Account
  /** Deleted with the server. */
  readonly temporary: boolean
}

const reachable = (directory: string, account: Account) =>
  isOther(account)
    ? Effect.map(run("/bin/sh", ["-c", 'cd "$0"', directory], { account, cwd: "/" }), ({ code }) => code === 0)
    : Effect.succeed(true)

const give = (path: string, account: Account) => {
  if (isOther(account)) chownSync(path, account.uid, account.gid)
}

const made = (directory: string, temporary: boolean, account: Account) =>
  attempt(`making ${directory}`, (): ClusterDirectory => {
    const users = join(directory, "users")
    for (const each of [directory, users]) {
      mkdirSync(each, { recursive: true })
      const owner = statSync(each).uid
      if (!windows && ![process.getuid?.(), account.uid].includes(owner)) {
        throw new Error(`it belongs to another lease (uid ${owner}); run as that lease, or remove it and its data`)
      }
      give(each, account)
      if (!windows) chmodSync(each, 0o700)
    }
    const log = join(directory, "postgres.log")
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) truncateSync(log)
    return { directory, data: join(directory, "pgdata"), log, users, account, temporary }
  })

/** A new directory that is deleted with its server. */
export const temporary = Effect.fnUntraced(function* (account: Account) {
  for (const parent of [tmpdir(), "/var/tmp"]) {
    const directory = yield* attempt("a temporary directory", () => mkdtempSync(join(parent, "llm-saas-postgres-")))
    yield* attempt(`giving ${directory} away`, () => give(directory, account))
    if (yield* reachable(directory, account)) return yield* made(directory, true, account)
    yield* attempt(`removing ${directory}`, () => rmSync(directory, { recursive: true }))
  }
  return yield* new EmbeddedPostgresFailed({
    message: `no temporary directory is open to the server's account (uid ${account.uid})`
  })
})

/** Where the data of `major` is kept below `parent`. */
export const pathBelow = (parent: string, major: number) => join(resolve(parent), `postgres-${major}`)

/** A directory that stays. Below a directory that is closed to the server's account, it moves to /var/tmp. */
export const kept = Effect.fnUntraced(function* (parent: string, major: number, account: Account) {
  const wanted = pathBelow(parent, major)
  const cluster = yield* made(wanted, false, account)
  if (yield* reachable(wanted, account)) return cluster
  const elsewhere = join(
    "/var/tmp",
    `llm-saas-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}-postgres-${major}`
  )
  yield* Effect.logWarning(
    `PostgreSQL does not run as root, and its account cannot enter ${wanted}: the data is kept in ${elsewhere}`
  )
  return yield* made(elsewhere, false, account)
})

/** The password of `postgres`, created with the cluster. A second process reads the first one's. */
export const password = (cluster: ClusterDirectory): Effect.Effect<string, EmbeddedPostgresFailed> =>
  attempt("the database administrator's password", () => {
    const file = join(cluster.directory, "password")
    if (!existsSync(file)) {
      if (existsSync(cluster.data))
        throw new Error(`${file} is missing; restore it, or remove ${cluster.directory} with its data`)
      // Written to a draft and renamed, so that another process never reads half of it.
      const draft = `${file}.${process.pid}`
      writeFileSync(draft, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 })
      give(draft, cluster.account)
      if (existsSync(file)) rmSync(draft)
      else renameSync(draft, file)
    }
    return readFileSync(file, "utf8").trim()
  })

/** Creates the data directory if it is missing. It appears complete or not at all, even if the process is killed. */
export const initialise = Effect.fnUntraced(function* (cluster: ClusterDirectory, binaries: Binaries) {
  if (existsSync(cluster.data)) return
  yield* attempt("clearing what an interrupted start left", () => {
    for (const name of readdirSync(cluster.directory)) {
      const pid = /^pgdata\.(\d+)$/u.exec(name)?.[1]
      if (pid !== undefined && (Number(pid) === process.pid || !alive(Number(pid))))
        rmSync(join(cluster.directory, name), { recursive: true })
    }
  })
  const draft = `${cluster.data}.${process.pid}`
  const { code, output } = yield* run(
    binaries.program("initdb"),
    [
      `--pgdata=${draft}`,
      "--username=postgres",
      `--pwfile=${join(cluster.directory, "password")}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
      ...(cluster.temporary ? ["--no-sync"] : [])
    ],
    { account: cluster.account, cwd: cluster.directory }
  )
  if (code !== 0)
    return yield* new EmbeddedPostgresFailed({
      message: `a new database could not be made in ${cluster.directory}: ${output}`
    })
  yield* attempt("the new database", () => {
    if (existsSync(cluster.data)) rmSync(draft, { recursive: true })
    else renameSync(draft, cluster.data)
  })
})
