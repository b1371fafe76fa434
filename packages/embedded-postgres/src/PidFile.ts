import { Effect } from "effect"
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { join } from "node:path"
import { attempt, EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"
import { alive, commandLine, contents } from "./Processes.ts"

/** The lines of `postmaster.pid`: pid, data directory, start time, port, socket directory, listen address, memory key, status. */
export type PidFile =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Names"; readonly pid: number; readonly port: number; readonly ready: boolean }
  | { readonly _tag: "Garbage"; readonly problem: string }

/** Parses the file's text. A starting server writes the first line at once and the others one by one. */
export const parse = (text: string): PidFile => {
  const [first = "", , , port, , , , status] = text.split("\n")
  // A single-user server writes its pid as a negative number.
  if (!/^-?[1-9]\d{0,9}$/u.test(first.trim()))
    return { _tag: "Garbage", problem: text === "" ? "it is empty" : "its first line is not a process's number" }
  return { _tag: "Names", pid: Math.abs(Number(first)), port: Number(port), ready: status?.trim() === "ready" }
}

const fileOf = (data: string) => join(data, "postmaster.pid")

/**
 * The process named in the file, if it is a server of this data. A file left by a crash, a full disk or a restored copy is removed where
 * it is certain that no server runs on the data; where it is not, the failure names it.
 */
export const serverOf = Effect.fnUntraced(function* (data: string): Effect.fn.Return<PidFile, EmbeddedPostgresFailed> {
  const file = fileOf(data)
  const entry = yield* attempt(`looking at ${file}`, () => lstatSync(file, { throwIfNoEntry: false }))
  if (entry === undefined) return { _tag: "Absent" }
  // Not read: reading a named pipe would block for ever.
  if (!entry.isFile()) return yield* refuse(file, "it is no file")
  const found = parse(yield* attempt("PostgreSQL's note of its process", () => readFileSync(file, "utf8")))
  if (found._tag === "Names") {
    if (!alive(found.pid)) return { _tag: "Absent" }
    if (runsOn(found.pid, data)) return found
    // The machine or the container was restarted, and the number belongs to another program. PostgreSQL would refuse to start.
    yield* remove(file)
    return { _tag: "Absent" }
  }
  if (found._tag === "Absent" || !PROC) return yield* refuse(file, found._tag === "Garbage" ? found.problem : "")
  if (serversOn(data)) return found
  yield* Effect.logWarning(
    `${file} was not PostgreSQL's own (${found.problem}), and no server runs on this data: removed`
  )
  yield* remove(file)
  return { _tag: "Absent" }
})

const refuse = (file: string, problem: string) =>
  new EmbeddedPostgresFailed({
    message: `${file} is not what PostgreSQL wrote: ${problem}. If no PostgreSQL runs on this data, remove it and start again`
  })

const remove = (file: string) => attempt(`removing a stale ${file}`, () => rmSync(file, { force: true }))

/** Whether the operating system shows other processes' working directories. */
const PROC = process.platform === "linux" && existsSync("/proc/self/cwd")

/** The directory a path resolves to; undefined if it does not exist or we may not follow it. */
const placeOf = (path: string): string | undefined => {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/**
 * Whether a process is a server of this data. A server's working directory is its data directory; where that is hidden from us (in a
 * container, from root), its command line names it. A process that shows neither counts as one: its file must not be removed.
 */
const runsOn = (pid: number, data: string): boolean => {
  if (!PROC) return commandLine(pid)?.includes("postgres") ?? true
  const place = placeOf(data)
  const works = placeOf(`/proc/${pid}/cwd`)
  if (works !== undefined) return works === place
  const words = contents(`/proc/${pid}/cmdline`)?.split("\0") ?? []
  // A backend calls itself `postgres: …`; it ends with its server.
  if (!words[0]?.includes("postgres") || words[0].startsWith("postgres: ")) return false
  const given = words[words.indexOf("-D") + 1]
  return !words.includes("-D") || given === undefined || placeOf(given) === place
}

const serversOn = (data: string): boolean =>
  readdirSync("/proc").some((name) => /^\d+$/u.test(name) && runsOn(Number(name), data))
