import { Redacted } from "effect"
import { format, read } from "./logins/DatabaseUrl.ts"

/** A line for a shell that opens psql on this database, password included: to be shown to whoever asked for it, never logged. */
export const psqlLine = (url: Redacted.Redacted): string => `psql '${Redacted.value(format(read(url)))}'`
