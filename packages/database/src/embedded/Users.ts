import { Effect } from "effect"
import { chownSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isOther } from "./Account.ts"
import { pause } from "./Command.ts"
import { attempt } from "./EmbeddedPostgresFailed.ts"
import type { Home } from "./Home.ts"
import { alive, birth, contents } from "./Processes.ts"

// Several programs may use one cluster: `npm start`, and `npm run db:status` beside it. Each has a file in `users`, and the last one
// to leave stops the server. A file whose process is gone does not count.

let count = 0

/** One use of a cluster by this process. */
export interface User {
  readonly file: string
}

const here = (file: string) => {
  const pid = Number(/(?<!\d)(\d+)-\d+$/u.exec(file)?.[1])
  return alive(pid) && contents(file) === birth(pid)
}

const write = (home: Home, file: string) =>
  attempt(`writing ${file}`, () => {
    writeFileSync(file, birth(process.pid))
    if (isOther(home.account)) chownSync(file, home.account.uid, home.account.gid)
  })

/** Whether anybody but `user` uses the cluster. */
export const others = (home: Home, user: User) =>
  attempt("who uses the database", () =>
    readdirSync(home.users).some((name) => {
      const file = join(home.users, name)
      return /^\d+-\d+$/u.test(name) && file !== user.file && here(file)
    })
  )

const leavingOf = (home: Home) => join(home.directory, "leaving")

/** Says that we use the cluster, and waits while somebody decides whether to stop it. */
export const enter = Effect.fnUntraced(function* (home: Home) {
  const user: User = { file: join(home.users, `${process.pid}-${++count}`) }
  yield* write(home, user.file)
  yield* Effect.ignore(
    attempt("forgetting the dead", () => {
      for (const name of readdirSync(home.users))
        if (!here(join(home.users, name))) rmSync(join(home.users, name), { force: true })
    })
  )
  const leaving = leavingOf(home)
  const decided = Effect.sync(() => {
    const [pid = "", born = ""] = contents(leaving)?.split(" ") ?? []
    return !alive(Number(pid)) || birth(Number(pid)) !== born
  })
  // Bounded by the leaver's own time limit for a stop.
  while (!(yield* decided)) yield* pause(20)
  return user
})

/**
 * Takes our file away and runs `stop` if nobody else uses the cluster. Who enters writes a file and then looks for `leaving`; who
 * leaves writes `leaving` and then looks for files: at least one of the two sees the other.
 */
export const leave = Effect.fnUntraced(function* <E>(home: Home, user: User, stop: Effect.Effect<void, E>) {
  const leaving = leavingOf(home)
  yield* attempt("leaving the database", () => {
    rmSync(user.file, { force: true })
    writeFileSync(leaving, `${process.pid} ${birth(process.pid)}`)
  })
  const last = !(yield* others(home, user))
  yield* Effect.ensuring(
    last ? stop : Effect.void,
    Effect.ignore(attempt("leaving", () => rmSync(leaving, { force: true })))
  )
  return last
})
