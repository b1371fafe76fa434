// Prints the SQL that makes the tables of the database FROM like those of TO: in the environment, since they hold passwords.
import { run } from "@pgkit/migra"

// Its driver warns that two comparisons share a database.
console.log = console.warn = console.error = () => {}

const { FROM, TO } = process.env
// It names statements that lose data too: what comes out is a draft that a person reads.
for (const schema of ["app", "meta"]) {
  const { sql } = await run(FROM, TO, { unsafe: true, schema })
  if (sql.trim() !== "") process.stdout.write(`${sql.trim()}\n`)
}
process.stdout.write("", () => process.exit(0))
