import { Effect } from "effect"
import { chownSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isOther } from "./Account.ts"
import { pause } from "./Command.ts"
import { attempt } from "./EmbeddedPostgresFailed.ts"
import type { ClusterDirectory } from "./ClusterDirectory.ts"
import { alive, startTime, contents } from "./Processes.ts"

// Several programs may use one cluster: `npm start`, and `npm run db:status` beside it. Each has a file in `users`, and the last one to
// leave stops the server. The file of a process that is gone does not count.

let count = 0

/** This process's use of the cluster. */
export interface Lease {
  readonly file: string
}

const here = (file: string) => {
  const pid = Number(/(?<!\d)(\d+)-\d+$/u.exec(file)?.[1])
  return alive(pid) && contents(file) === startTime(pid)
}

const write = (cluster: ClusterDirectory, file: string) =>
  attempt(`writing ${file}`, () => {
    writeFileSync(file, startTime(process.pid))
    if (isOther(cluster.account)) chownSync(file, cluster.account.uid, cluster.account.gid)
  })

/** Whether another process than `lease` uses the cluster. */
export const others = (cluster: ClusterDirectory, lease: Lease) =>
  attempt("who uses the database", () =>
    readdirSync(cluster.users).some((name) => {
      const file = join(cluster.users, name)
      return /^\d+-\d+$/u.test(name) && file !== lease.file && here(file)
    })
  )

const leavingOf = (cluster: ClusterDirectory) => join(cluster.directory, "leaving")

/** Registers this process as a user of the cluster. Waits while another process decides whether to stop the server. */
export const enter = Effect.fnUntraced(function* (cluster: ClusterDirectory) {
  const lease: Lease = { file: join(cluster.users, `${process.pid}-${++count}`) }
  yield* write(cluster, lease.file)
  yield* Effect.ignore(
    attempt("removing files of processes that are gone", () => {
      for (const name of readdirSync(cluster.users))
        if (!here(join(cluster.users, name))) rmSync(join(cluster.users, name), { force: true })
    })
  )
  const leaving = leavingOf(cluster)
  const decided = Effect.sync(() => {
    const [pid = "", started = ""] = contents(leaving)?.split(" ") ?? []
    return !alive(Number(pid)) || startTime(Number(pid)) !== started
  })
  // Bounded by the time limit for a stop.
  while (!(yield* decided)) yield* pause(20)
  return lease
})

/**
 * Removes our file and runs `stop` if no other process uses the cluster. An entering process writes its file and then checks for
 * `leaving`; a leaving one writes `leaving` and then checks for files: at least one of the two sees the other.
 */
export const leave = Effect.fnUntraced(function* <E>(
  cluster: ClusterDirectory,
  lease: Lease,
  stop: Effect.Effect<void, E>
) {
  const leaving = leavingOf(cluster)
  yield* attempt("leaving the database", () => {
    rmSync(lease.file, { force: true })
    writeFileSync(leaving, `${process.pid} ${startTime(process.pid)}`)
  })
  const last = !(yield* others(cluster, lease))
  yield* Effect.ensuring(
    last ? stop : Effect.void,
    Effect.ignore(attempt("leaving", () => rmSync(leaving, { force: true })))
  )
  return last
})
