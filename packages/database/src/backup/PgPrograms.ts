import { Effect, Redacted, Schema } from "effect"
import { spawn } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { format, read } from "../logins/DatabaseUrl.ts"

// PostgreSQL's client programs, as installed on the machine: the embedded server has none, and no npm package ships them.

/** A client program that is missing, too old, or failed. The message is for the operator who ran the command. */
export class PgProgramFailed extends Schema.TaggedError<PgProgramFailed>()("PgProgramFailed", {
  message: Schema.String
}) {}

/** A program and its major version of PostgreSQL. */
export interface PgProgram {
  readonly path: string
  readonly major: number
}

/** Directories that hold `name`, one per version, in the places where systems put them. */
const PLACES = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/opt/homebrew/opt/libpq*/bin",
  "/opt/homebrew/opt/postgresql*/bin",
  "/usr/local/opt/libpq*/bin",
  "/usr/local/opt/postgresql*/bin",
  "/usr/local/pgsql*/bin",
  "/Applications/Postgres.app/Contents/Versions/*/bin",
  "C:/Program Files/PostgreSQL/*/bin"
]

const directories = (): ReadonlyArray<string> => [
  ...(process.env["PATH"] ?? process.env["Path"] ?? "").split(delimiter).filter((entry) => entry !== ""),
  ...PLACES.flatMap((place) => {
    const [before = "", after = ""] = place.split("*")
    const cut = before.lastIndexOf("/") + 1
    const parent = before.slice(0, cut)
    if (!existsSync(parent)) return []
    return readdirSync(parent)
      .filter((name) => name.startsWith(before.slice(cut)))
      .map((name) => `${parent}${name}${after}`)
  })
]

export type Name = "pg_dump" | "pg_restore"

/** Every version of a program that this machine has, oldest first. */
const installed = Effect.fnUntraced(function* (name: Name) {
  const file = process.platform === "win32" ? `${name}.exe` : name
  const paths = [...new Set(directories().map((directory) => join(directory, file)))].filter((path) => existsSync(path))
  const found: Array<PgProgram> = []
  for (const path of paths) {
    const { code, stdout } = yield* output(path, ["--version"], {})
    const major = Number(/\(PostgreSQL\) (\d+)/u.exec(stdout)?.[1])
    if (code === 0 && major > 0 && !found.some((each) => each.major === major)) found.push({ path, major })
  }
  return found.sort((one, other) => one.major - other.major)
})

/** The program for a server of this major version: the same version, or else the next newer one. Older ones refuse. */
export const find = Effect.fnUntraced(function* (name: Name, server: number) {
  const all = yield* installed(name)
  const fits = all.find(({ major }) => major >= server)
  if (fits !== undefined) return fits
  const [newest] = all.toReversed()
  return yield* new PgProgramFailed({
    message:
      `${name} of PostgreSQL ${server} or newer is needed for this server, and this machine has ${newest === undefined ? "none" : `${newest.major} (${newest.path})`}. `
      + `Install postgresql-client-${server} (Debian, Ubuntu: from apt.postgresql.org; macOS: brew install libpq; Windows: PostgreSQL's installer), or put it into PATH`
  })
})

interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

// No variable of the shell may decide where it connects or how it logs in.
const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith("PG") && !/^(?:DATABASE_|SECRET_|JWT_|OPENAI_|MLFLOW_)/u.test(name)
    )
  ),
  LC_ALL: "C",
  ...more
})

const output = (
  path: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  line: (text: string) => void = () => {}
): Effect.Effect<Output> =>
  Effect.callback((resume) => {
    const child = spawn(path, args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"], windowsHide: true })
    let [stdout, stderr, rest] = ["", "", ""]
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")))
    child.stderr.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("utf8")).split("\n")
      rest = lines.pop() ?? ""
      for (const text of lines) line(text)
      stderr += `${lines.filter((text) => /error|fatal|detail|hint/iu.test(text)).join("\n")}\n`
    })
    child.once("error", (error) => resume(Effect.succeed({ code: -1, stdout, stderr: error.message })))
    child.once("close", (code) =>
      resume(Effect.succeed({ code: code ?? -1, stdout, stderr: `${stderr}${rest}`.trim() }))
    )
    return Effect.sync(() => child.kill("SIGTERM"))
  })

/**
 * Runs a program, and passes on each line of its progress. With a URL it connects there: the password goes through its environment, since
 * every user of the machine can read command lines.
 */
export const run = Effect.fnUntraced(function* (
  { path }: PgProgram,
  args: ReadonlyArray<string>,
  options: { readonly url?: Redacted.Redacted; readonly line?: (text: string) => void } = {}
) {
  const { line, url } = options
  const parts = url === undefined ? undefined : read(url)
  const password = parts?.password
  const connection =
    parts === undefined ? [] : [`--dbname=${Redacted.value(format({ ...parts, password: undefined }))}`]
  const { code, stderr, stdout } = yield* output(
    path,
    [...args, ...connection, ...(parts === undefined ? [] : ["--no-password"])],
    password === undefined ? {} : { PGPASSWORD: Redacted.value(password) },
    line
  )
  if (code === 0) return stdout
  return yield* new PgProgramFailed({
    message: `${path} failed: ${stderr.split("\n").slice(0, 5).join(" — ") || `exit code ${code}`}`
  })
})
