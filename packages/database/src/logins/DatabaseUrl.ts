import type { PgConnection } from "@effect/sql-pg"
import { Option, Redacted, Result, Schema } from "effect"
import { userInfo } from "node:os"
import { splitUri } from "./Uri.ts"

/** A URL of a database cannot be used. The reason repeats no part of it: any part may be a password that was not encoded. */
export class DatabaseUrlInvalid extends Schema.TaggedError<DatabaseUrlInvalid>()("DatabaseUrlInvalid", {
  reason: Schema.String
}) {
  override get message(): string {
    return `the database's URL cannot be used: ${this.reason}`
  }
}

/**
 * Where a database is and which login is used: a URL of libpq (PostgreSQL manual 34.1.1.2), taken apart. User, password, host, port and
 * dbname in the query override the parts before it.
 */
export interface DatabaseUrl {
  /** A name, an address, or the directory of a socket, which begins with a slash. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Redacted.Redacted | undefined
  /** Other parameters that libpq knows, such as `sslmode`; unknown ones are left out. */
  readonly parameters: Readonly<Record<string, string>>
}

/** Parameters about the server and the way to it, for any login: a derived login keeps only these. */
const WAY = [
  "sslmode",
  "sslnegotiation",
  "sslrootcert",
  "sslcrl",
  "sslcrldir",
  "sslsni",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "channel_binding",
  "gssencmode",
  "connect_timeout",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "target_session_attrs"
]

/** Parameters of one login: its certificate, its settings. */
const LOGIN = ["sslcert", "sslkey", "sslpassword", "require_auth", "options", "application_name", "client_encoding"]

/** Parameters that would lead elsewhere than the parts say, or need a file that is not read. */
const REFUSED = ["service", "servicefile", "passfile", "hostaddr", "replication"]

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

const invalid = (reason: string) => new DatabaseUrlInvalid({ reason })

/**
 * Reads a URL. Accepts SQLAlchemy's schemes (`postgresql+asyncpg://`) and its `ssl=require` too. One host only: the driver tries no second
 * one. A missing user is the operating system's user, and a missing database has the user's name.
 */
export const parse = (text: string): Result.Result<DatabaseUrl, DatabaseUrlInvalid> =>
  Result.gen(function* () {
    const given = yield* Result.mapError(splitUri(text.trim()), invalid)
    const refused = REFUSED.find((name) => given[name] !== undefined)
    if (refused !== undefined)
      return yield* Result.fail(invalid(`${refused} is not supported: write host and user out`))
    const host = (given["host"] ?? "").replace(/^\[(.*)\]$/u, "$1") || "localhost"
    if (host.includes(",") || given["port"]?.includes(",") === true)
      return yield* Result.fail(invalid("it names several hosts, and only one is supported"))
    if (!host.startsWith("/") && /[@\s\p{Cc}]/u.test(host)) return yield* Result.fail(invalid(ENCODING))
    const port = given["port"] ? Number(given["port"]) : 5432
    if (!/^\d{0,5}$/u.test(given["port"] ?? "") || port < 1 || port > 65_535)
      return yield* Result.fail(invalid(`its port is not a number from 1 to 65535 (${ENCODING})`))
    const mode = sslModeOf(given)
    if (mode !== undefined && !SSL_MODES.includes(mode))
      return yield* Result.fail(invalid(`sslmode is one of ${SSL_MODES.join(", ")}`))
    const user = given["user"] || Option.getOrUndefined(Result.getSuccess(myself()))
    if (!user) return yield* Result.fail(invalid("it names no user"))
    const kept = [...WAY, ...LOGIN].flatMap((name) => (given[name] ? [[name, given[name]] as const] : []))
    return {
      host,
      port,
      database: given["dbname"] || user,
      user,
      password: given["password"] ? Redacted.make(given["password"]) : undefined,
      parameters: { ...Object.fromEntries(kept), ...(mode === undefined ? {} : { sslmode: mode }) }
    }
  })

/** As libpq does: the operating system's user. A container's user may have no name. */
const myself = () => Result.try(() => userInfo().username)

const ENCODING = "in a user or password, write @ as %40, / as %2F, ? as %3F, : as %3A, % as %25"

/** `ssl=true` is older libpq's and JDBC's; asyncpg's `ssl` takes a mode. */
const sslModeOf = ({ ssl, sslmode }: Readonly<Record<string, string>>) =>
  sslmode || (ssl === "true" ? "require" : ssl === "false" ? "disable" : ssl || undefined)

/**
 * Whether the login that came in is the intended one. A pooler of many databases may want the database's name after the user's
 * (`user.database`), and removes it.
 */
export const isLogin = (meant: string, cameIn: string): boolean => meant === cameIn || meant.startsWith(`${cameIn}.`)

/** As {@link parse}, for a URL that was checked before: from the settings, or made here. A broken one is a bug. */
export const read = (url: Redacted.Redacted): DatabaseUrl => Result.getOrThrow(parse(Redacted.value(url)))

// libpq, psql and WHATWG's parser agree on these: everything but letters, digits, - . _ ~ is encoded.
const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * The parts as a URL that libpq, WHATWG's parser and {@link parse} read alike. With a socket, or an address with a zone, login and host are
 * in the query: WHATWG's parser accepts them nowhere else.
 */
export const format = ({ database, host, parameters, password, port, user }: DatabaseUrl): Redacted.Redacted => {
  const secret = password === undefined ? undefined : Redacted.value(password)
  const inQuery = /^\/|%/u.test(host)
  const query = Object.entries({
    ...(inQuery ? { host, port: String(port), user, ...(secret === undefined ? {} : { password: secret }) } : {}),
    ...parameters
  }).map(([name, value]) => `${name}=${encoded(value)}`)
  const name = host.includes(":") ? `[${host}]` : encoded(host)
  const place = `${encoded(user)}${secret === undefined ? "" : `:${encoded(secret)}`}@${name}:${port}`
  return Redacted.make(
    `postgresql://${inQuery ? "" : place}/${encoded(database)}${query.length === 0 ? "" : `?${query.join("&")}`}`
  )
}

/** The same server and login, another database. */
export const inDatabase = (url: Redacted.Redacted, database: string): Redacted.Redacted =>
  format({ ...read(url), database })

/** The same server and database, another login: neither password nor certificate nor settings of the first one are kept. */
export const asLogin = (url: Redacted.Redacted, user: string, password: Redacted.Redacted): Redacted.Redacted => {
  const { parameters, ...place } = read(url)
  const { options } = parameters
  // A proxy's own option (`endpoint=…`) says where the server is; the other settings belong to the first login.
  const way = options !== undefined && !/(?:^|\s)-/u.test(options) ? [...WAY, "options"] : WAY
  const kept = Object.entries(parameters).filter(([name]) => way.includes(name))
  return format({ ...place, user, password, parameters: Object.fromEntries(kept) })
}

/**
 * The driver's options: the parts, and of the URL only what the driver has no other field for. So the driver's own parser decides neither
 * the login nor the host.
 */
export const driverOptions = (url: Redacted.Redacted) => {
  const { database, host, parameters, password, port, user } = read(url)
  const { connect_timeout: timeout, options, sslmode } = parameters
  const rest = Object.entries({ sslmode, connect_timeout: timeout }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encoded(value)}`]
  )
  return {
    host,
    port,
    database,
    username: user,
    password,
    url: Redacted.make(`postgresql:///?${rest.join("&")}`),
    startupOptions: options
  } satisfies PgConnection.Config
}
