import { Redacted } from "effect"
import { format, read } from "./logins/DatabaseUrl.ts"

/** A shell line that opens psql on this database, password included: to be shown to the operator who asked for it, never logged. */
export const psqlLine = (url: Redacted.Redacted): string => `psql '${Redacted.value(format(read(url)))}'`
