import { Effect } from "effect"
import { existsSync, readFileSync, statSync } from "node:fs"
import { attempt } from "./EmbeddedPostgresFailed.ts"

/** The operating system account that PostgreSQL runs as. Empty: our own. */
export interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** Whether PostgreSQL runs as another {@link Account}: it must then own its files, and may not see what we see. */
export const isOther = (account: Account): account is Required<Account> => account.uid !== undefined

// initdb needs an account with a name.
const passwd = () =>
  new Map(
    (existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8") : "")
      .split("\n")
      .map((line) => line.split(":"))
      .map((fields) => [fields[0], { uid: Number(fields[2]), gid: Number(fields[3]) }])
  )

/**
 * PostgreSQL refuses to run as root. Root switches to the owner of the data directory, else to `postgres` where it exists, else to
 * `nobody`.
 */
export const forData = (data: string | undefined): Effect.Effect<Account, never> =>
  Effect.suspend(() => {
    if (process.getuid?.() !== 0) return Effect.succeed({})
    return attempt("who runs PostgreSQL", (): Account => {
      if (data !== undefined && existsSync(data)) {
        const owner = statSync(data)
        if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
      }
      const users = passwd()
      return users.get("postgres") ?? users.get("nobody") ?? { uid: 65534, gid: 65534 }
    })
  }).pipe(Effect.orElseSucceed(() => ({ uid: 65534, gid: 65534 })))
