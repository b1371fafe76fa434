import { Predicate, type Redacted, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { read } from "./logins/DatabaseUrl.ts"
import { sqlState } from "./PostgresError.ts"

/**
 * The schema could not be read or changed; nothing was changed. Meant for the operator who runs the command, so it contains PostgreSQL's
 * message; it never contains a URL or a password.
 */
export class MigrationFailed extends Schema.TaggedError<MigrationFailed>()("MigrationFailed", {
  /**
   * `unreachable`: no connection. `files`: `sql/` itself is wrong. `history`: the applied migrations differ from the files. `statement`:
   * PostgreSQL refused one. `lint`: a rule of `sql/lint` is broken. `occupied`: it would change what belongs to another program or
   * installation. `encoding`: texts are not UTF-8. `login`: another login came in than the intended one. `drift`: the database differs from
   * the files in a way that a migration cannot repair.
   */
  reason: Schema.Literals([
    "unreachable",
    "files",
    "history",
    "statement",
    "lint",
    "occupied",
    "encoding",
    "login",
    "drift"
  ]),
  detail: Schema.String,
  /** The file under `sql/`, and the line in it where PostgreSQL gave one. */
  file: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  /** The SQLSTATE, where PostgreSQL answered. */
  state: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const place =
      this.file === undefined ? "" : this.line === undefined ? `${this.file}: ` : `${this.file}:${this.line}: `
    return `${place}${this.detail}`
  }
}

/** PostgreSQL's message, where there is one; `file` is the file it ran. */
export const failedStatement = (
  error: SqlError,
  file?: { readonly path: string; readonly text: string }
): MigrationFailed => {
  const state = sqlState(error)
  if (state === undefined) return new MigrationFailed({ reason: "unreachable", detail: `PostgreSQL ${silence(error)}` })
  const line = file === undefined ? undefined : lineOf(error.reason.cause, file.text)
  return new MigrationFailed({
    reason: "statement",
    detail: [
      field(error.reason.cause, "message") ?? error.message,
      field(error.reason.cause, "detail"),
      field(error.reason.cause, "hint")
    ]
      .filter(Predicate.isNotUndefined)
      .join(" — "),
    state,
    ...(file === undefined ? {} : { file: file.path }),
    ...(line === undefined ? {} : { line })
  })
}

/** No connection to the server of `url`, or PostgreSQL refused it. Names the server, never the login. */
export const failedConnection = (error: SqlError, url: Redacted.Redacted): MigrationFailed => {
  if (sqlState(error) !== undefined) return failedStatement(error)
  const { host, port } = read(url)
  const server = `${host}:${port}`
  return new MigrationFailed({ reason: "unreachable", detail: `PostgreSQL at ${server} ${silence(error)}` })
}

const SILENCE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "is not running: the connection was refused",
  ENOTFOUND: "cannot be found: no such host",
  EAI_AGAIN: "cannot be found: no such host",
  ENETUNREACH: "cannot be reached: no network leads there",
  EHOSTUNREACH: "cannot be reached: no network leads there"
}

const silence = ({ reason }: SqlError): string => {
  const { cause, message = "no answer" } = reason
  const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : ""
  return SILENCE[code] ?? `does not answer as PostgreSQL does: ${message.replace("PgConnection: ", "")}`
}

const field = (
  cause: unknown,
  name: "message" | "detail" | "hint" | "internalPosition" | "internalQuery"
): string | undefined =>
  Predicate.hasProperty(cause, name) && Predicate.isString(cause[name]) ? cause[name] : undefined

// A file is the text of an EXECUTE (see Script.ts), so PostgreSQL calls the position in it internal. In a statement that the file itself
// generated, the position says nothing about the file.
const lineOf = (cause: unknown, text: string): number | undefined => {
  const position = Number(field(cause, "internalPosition"))
  return field(cause, "internalQuery") !== text || !(position > 0)
    ? undefined
    : [...text].slice(0, position - 1).filter((c) => c === "\n").length + 1
}
