import { Effect, Redacted } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { MigrationFailed } from "../MigrationFailed.ts"
import { DIRECTORY } from "../SqlFiles.ts"

const TOOL = join(DIRECTORY, "..", "tools", "schema-diff")

/**
 * The SQL that makes the tables of one database like those of another, as `@pgkit/migra` computes it: columns, constraints, indexes, no
 * comments. Empty where they are alike. Fails where the tool is not installed or fails.
 */
export const schemaDiff = Effect.fn("SchemaDiff.diff")(function* (from: Redacted.Redacted, to: Redacted.Redacted) {
  if (!existsSync(join(TOOL, "node_modules")))
    return yield* new MigrationFailed({
      reason: "files",
      detail: `tools/schema-diff is not installed: npm ci in ${TOOL}`
    })
  const { code, stderr, stdout } = yield* Effect.callback<{
    readonly code: number | null
    readonly stdout: string
    readonly stderr: string
  }>((resume) => {
    const child = spawn(process.execPath, [join(TOOL, "diff.mjs")], {
      env: { PATH: process.env["PATH"], FROM: Redacted.value(from), TO: Redacted.value(to) },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let [stdout, stderr] = ["", ""]
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")))
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")))
    child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    child.once("error", ({ message }) => resume(Effect.succeed({ code: -1, stdout, stderr: message })))
    return Effect.sync(() => child.kill())
  })
  if (code === 0)
    return seen(
      stdout
        .replaceAll(/\n{3,}/gu, "\n\n")
        .replaceAll(/^[ \t]+(?=\);)/gmu, "")
        .trim()
    )
  const last = stderr.split("\n").find((line) => /error/iu.test(line)) ?? `exit code ${code}`
  return yield* new MigrationFailed({ reason: "files", detail: `tools/schema-diff: ${last.trim()}` })
})

/** The two tables of a statement that adds a foreign key. */
const comparedBy = (statement: string): ReadonlyArray<string> => {
  const [, schema, name] = /\balter table "(\w+)"\."(\w+)" add constraint\b/u.exec(statement) ?? []
  const [, other] = /\bREFERENCES (\w+\.\w+)/u.exec(statement) ?? []
  return name === undefined || other === undefined ? [] : [`${schema}.${name}`, other]
}

/**
 * Opens the tables that a new foreign key compares to their owner, who behind FORCE sees no row and is refused. The wall comes back with
 * the policies.
 */
const seen = (draft: string): string => {
  const made = new Set(
    [...draft.matchAll(/create table "(\w+)"\."(\w+)"/gu)].map(([, schema, name]) => `${schema}.${name}`)
  )
  const there = new Set(draft.split(";").flatMap(comparedBy))
  const open = [...there].filter((table) => table.startsWith("app.") && !made.has(table)).toSorted()
  return [...open.map((table) => `alter table ${table} no force row level security;`), draft].join("\n")
}
