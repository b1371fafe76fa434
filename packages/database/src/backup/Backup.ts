import { Effect, type Redacted, Schema } from "effect"
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { SCHEMAS } from "../logins/Installation.ts"
import { migrate, type MigrationOptions } from "../migrations/Migrations.ts"
import * as PgPrograms from "./PgPrograms.ts"
import { Roles } from "../logins/Roles.ts"
import { connect, rows } from "../connections/Script.ts"

/** Progress of a backup or a restore, one line each. */
export type Progress = (line: string) => void

const failed = (message: string) => new PgPrograms.PgProgramFailed({ message })

const Server = Schema.Struct({
  superuser: Schema.Boolean,
  /** Whether the backup role exists: older schemas have none. */
  role: Schema.Boolean,
  major: Schema.Int,
  tables: Schema.Array(Schema.String),
  schemas: Schema.Array(Schema.String)
})

/** The server's version, and our schemas and tables in it. */
const inspect = Effect.fnUntraced(function* (adminUrl: Redacted.Redacted) {
  const connection = yield* connect(adminUrl)
  const { backup } = yield* Roles
  const [row] = yield* rows(
    connection,
    `select (select rolsuper from pg_roles where rolname = session_user) as superuser, to_regrole($2::text) is not null as role,
       current_setting('server_version_num')::int4 / 10000 as major,
       array(select nspname::text from pg_namespace where nspname = any ($1::text[]) order by 1) as schemas,
       array(
         select format('%s %s', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('app', 'operator', 'meta') and c.relkind in ('r', 'p') order by 1
       ) as tables`,
    [SCHEMAS, backup]
  )
  return yield* Effect.orDie(Schema.decodeUnknownEffect(Server)(row))
}, Effect.scoped)

/** `TABLE DATA` and the like: the kind and name of an entry in an archive's table of contents. */
const Entry = /^\d+; \d+ \d+ ([A-Z]+(?: [A-Z]+)*) (\S+) (.*)/u

const entriesOf = (contents: string) =>
  contents.split("\n").flatMap((line) => {
    const [, kind, schema, rest] = Entry.exec(line) ?? []
    return kind === undefined || schema === undefined || rest === undefined ? [] : [{ line, kind, schema, rest }]
  })

/**
 * Writes everything of this program in a database to a file, in pg_dump's custom format, from one snapshot; programs may keep running. Made
 * as the backup role, which row-level security lets read every row: a managed owner gets as complete a backup as a superuser. The file
 * appears complete or not at all, readable by its owner alone. Returns its size in bytes and its number of tables.
 */
export const backup = Effect.fn("Backup.backup")(function* (
  adminUrl: Redacted.Redacted,
  path: string,
  progress: Progress = () => {}
) {
  const { major, role: known, superuser, tables } = yield* inspect(adminUrl)
  if (!tables.includes("meta migrations")) return yield* failed("there is nothing of this program in this database")
  if (!known && !superuser)
    return yield* failed("this database was migrated before backups had a role: migrate it, which makes it")
  const program = yield* PgPrograms.find("pg_dump", major)
  const reader = yield* PgPrograms.find("pg_restore", program.major)
  const { backup: role } = yield* Roles
  const file = resolve(path)
  const draft = `${file}.${process.pid}.part`
  if (existsSync(file)) return yield* failed(`${file} is there already: give another name`)
  return yield* Effect.gen(function* () {
    yield* Effect.try({
      try: () => closeSync(openSync(draft, "wx", 0o600)),
      catch: () => failed(`${file} cannot be written`)
    })
    const args = [
      "--format=custom",
      "--verbose",
      ...(known ? ["--enable-row-security", `--role=${role}`] : []),
      "--lock-wait-timeout=30s",
      ...SCHEMAS.map((schema) => `--schema=${schema}`),
      `--file=${draft}`
    ]
    yield* PgPrograms.run(program, args, { url: adminUrl, line: told("dumping contents of table", "", progress) })
    // Read from the archive itself.
    const contents = entriesOf(yield* PgPrograms.run(reader, ["--list", draft]))
    const held = new Set(
      contents.flatMap(({ kind, rest, schema }) => (kind === "TABLE DATA" ? [`${schema} ${rest.split(" ")[0]}`] : []))
    )
    const missing = tables.filter((table) => !held.has(table))
    if (missing.length > 0)
      return yield* failed(`the backup is not whole, and was removed: without ${missing.join(", ")}`)
    yield* Effect.try({
      try: () => (chmodSync(draft, 0o600), renameSync(draft, file)),
      catch: () => failed(`${file} cannot be written`)
    })
    return { file, bytes: statSync(file).size, tables: tables.length }
  }).pipe(Effect.ensuring(Effect.sync(() => rmSync(draft, { force: true }))))
})

// Built again from sql/, to fit this program and these roles: a restore skips them.
const REBUILT =
  /^(?:ACL|DEFAULT ACL|POLICY|FUNCTION|PROCEDURE|AGGREGATE|VIEW|RULE|TRIGGER|EVENT TRIGGER|PUBLICATION.*|EXTENSION)$/u
const COMMENT_ON_REBUILT = /^(?:FUNCTION|PROCEDURE|AGGREGATE|VIEW|POLICY|TRIGGER|EXTENSION)\b/u

/**
 * Fills an empty database of any server from a backup in pg_dump's custom format, made by any login: tables and rows as they were, all or
 * nothing; then roles, functions, policies and grants as this program has them, with its own prefix. A backup of an older version is
 * migrated. Logins of auditors are not restored: their roles belong to the other server.
 */
export const restore = Effect.fn("Backup.restore")(function* (
  adminUrl: Redacted.Redacted,
  path: string,
  options: MigrationOptions & { readonly progress?: Progress } = {}
) {
  const { progress = () => {} } = options
  const file = resolve(path)
  if (!existsSync(file)) return yield* failed(`there is no file ${file}`)
  const { major, schemas } = yield* inspect(adminUrl)
  if (schemas.length > 0)
    return yield* failed(
      `this database is not empty (it has a schema ${schemas[0]}): restore into a new one (create database …). Nothing was changed`
    )
  const program = yield* PgPrograms.find("pg_restore", major)
  const entries = entriesOf(yield* PgPrograms.run(program, ["--list", file]))
  if (
    !entries.some(
      ({ kind, rest, schema }) => kind === "TABLE DATA" && schema === "meta" && rest.startsWith("migrations ")
    )
  )
    return yield* failed(`${file} is no backup of this program: it has no table meta.migrations`)
  const kept = entries.filter(({ kind, rest, schema }) => {
    const ours = SCHEMAS.includes(schema) || (kind === "SCHEMA" && SCHEMAS.includes(rest.split(" ")[0] ?? ""))
    const comment = kind === "COMMENT" && (COMMENT_ON_REBUILT.test(rest) || schema === "-")
    return ours && !REBUILT.test(kind) && !comment
  })
  const scratch = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-restore-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
  const list = join(scratch, "list")
  yield* Effect.sync(() => writeFileSync(list, `${kept.map(({ line }) => line).join("\n")}\n`))
  const args = [
    "--no-owner",
    "--no-privileges",
    "--exit-on-error",
    "--single-transaction",
    "--verbose",
    `--use-list=${list}`
  ]
  yield* PgPrograms.run(program, [...args, file], {
    url: adminUrl,
    line: told("processing data for table", "", progress)
  })
  const report = yield* migrate(adminUrl, options)
  progress(`functions, policies and grants are those of this program (version ${report.version})`)
  return { ...report, readers: yield* forgetReaders(adminUrl) }
}, Effect.scoped)

/** `pg_dump: dumping contents of table "app.users"` becomes `app.users`. */
const told = (what: string, before: string, progress: Progress) => (line: string) => {
  const start = line.indexOf(`${what} "`)
  const name = line.slice(start + what.length + 2, line.lastIndexOf('"'))
  if (start >= 0 && name !== "") progress(`${before}${name}`)
}

/** Marks auditors whose role does not exist here as revoked. Returns how many. */
const forgetReaders = Effect.fnUntraced(function* (adminUrl: Redacted.Redacted) {
  const { owner } = yield* Roles
  const connection = yield* connect(adminUrl)
  const gone = yield* rows(
    connection,
    `with acting as (select set_config('role', $1::text, true))
     update meta.readers set revoked_at = now() from acting
     where revoked_at is null and to_regrole(quote_ident(role)) is null returning role::text`,
    [owner]
  )
  return gone.length
}, Effect.scoped)
