import type { TenantId } from "@llm-saas/domain/Tenant"
import type { PgConnection } from "@effect/sql-pg"
import { Duration, Effect, Redacted, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { loginUrl } from "./LoginRole.ts"
import { Roles } from "./Roles.ts"
import { scramVerifier } from "./Scram.ts"
import { quoteIdentifier } from "../Identifier.ts"
import { connect, connectAs, rows, transaction } from "../connections/Script.ts"

/** The tenant to read does not exist. */
export class TenantUnknown extends Schema.TaggedError<TenantUnknown>()("TenantUnknown", {}) {
  override get message(): string {
    return "there is no tenant of this id"
  }
}

/** A login of an auditor at psql. */
export interface ReaderOptions {
  /** The tenant whose rows it reads; none: the metadata of every tenant. */
  readonly tenantId: TenantId | undefined
  /** For one tenant: also questions, answers, titles and comments, not only times, users and costs. */
  readonly content: boolean
  /** When the login expires; open sessions read nothing from then on either. */
  readonly lifetime: Duration.Duration
  /** The person it is for. */
  readonly note: string | undefined
}

/** A new login, and its expiry. */
export interface Login {
  readonly role: string
  readonly url: Redacted.Redacted
  readonly expiresAt: Date
}

/**
 * Makes a login that reads one tenant's rows, or every tenant's metadata, and nothing else; the tenant's audit log records it. The name it
 * logs in with decides which rows it reads: no statement at a prompt changes that. Only the caller gets its password.
 */
export const grantReader = Effect.fn("Readers.grant")(function* (adminUrl: Redacted.Redacted, options: ReaderOptions) {
  const { content, lifetime, note, tenantId } = options
  const password = Redacted.make(randomBytes(24).toString("base64url"))
  const names = yield* Roles
  const group = tenantId === undefined ? names.auditor : names.reader
  // The name does not contain the tenant: pg_roles is visible to every login.
  const role = `${group}_${randomBytes(6).toString("hex")}`
  const verifier = yield* scramVerifier(role, password)
  const connection = yield* connect(adminUrl)
  const expiresAt = yield* transaction(
    connection,
    Effect.gen(function* () {
      if (tenantId !== undefined) {
        yield* rows(connection, `set local role ${names.auth}`)
        const known = yield* rows(connection, "select from app.tenants where id = $1::uuid", [tenantId])
        if (known.length === 0) return yield* new TenantUnknown({})
        yield* rows(connection, "set local role none")
      }
      const until = yield* expiry(connection, lifetime)
      yield* rows(
        connection,
        `create role ${role} login inherit password '${verifier}' valid until '${until.toISOString()}' connection limit 3`
      )
      yield* rows(connection, `grant ${group}${content ? `, ${names.readerContent}` : ""} to ${role}`)
      // To this database, and to no other that does not admit every login.
      yield* rows(connection, connecting("grant", "to", role))
      // A member of a login's role may end its sessions: audit.end_readers() does so after the expiry.
      yield* rows(connection, `grant ${role} to ${names.sessions}`)
      yield* rows(connection, limits(role))
      yield* rows(connection, `set local role ${names.owner}`)
      yield* rows(
        connection,
        "insert into meta.readers (role, tenant_id, content, note) values ($1::text::name, $2::uuid, $3::bool, $4::text)",
        [role, tenantId ?? null, content, note ?? null]
      )
      yield* record(connection, tenantId ?? null, "reader.granted", { role, content, note, expires_at: until })
      return until
    })
  )
  const login: Login = { role, url: loginUrl(adminUrl, role, password), expiresAt }
  // The person who is shown this line must come in as this role and no other.
  yield* Effect.onError(Effect.scoped(connectAs(login.url, role)), () =>
    Effect.ignore(revokeReaders(adminUrl, { role }))
  )
  return login
}, Effect.scoped)

/** Removes logins: one, all of a tenant, or all of the installation's. Open sessions read nothing from then on, and are ended. */
export const revokeReaders = Effect.fn("Readers.revoke")(function* (
  adminUrl: Redacted.Redacted,
  which: { readonly tenantId: TenantId | undefined } | { readonly role: string }
) {
  const connection = yield* connect(adminUrl)
  const names = yield* Roles
  const gone = yield* transaction(
    connection,
    Effect.gen(function* () {
      const [condition, value] =
        "role" in which
          ? ["role = $1::text::name", which.role]
          : ["tenant_id is not distinct from $1::uuid", which.tenantId ?? null]
      yield* rows(connection, `set local role ${names.owner}`)
      const found = yield* rows(
        connection,
        `update meta.readers set revoked_at = now() where revoked_at is null and ${condition}
         returning role::text, tenant_id, to_regrole(role::text)::oid::text as id`,
        [value]
      )
      const readers = yield* Effect.orDie(decodeReaders(found))
      for (const { id, role, tenant_id } of readers) {
        yield* rows(connection, "set local role none")
        if (id !== null) {
          yield* rows(connection, connecting("revoke", "from", role))
          yield* rows(connection, `drop role ${quoteIdentifier(role)}`)
        }
        yield* record(connection, tenant_id, "reader.revoked", { role })
      }
      return readers
    })
  )
  yield* hangUp(
    connection,
    gone.flatMap(({ id }) => (id === null ? [] : [id]))
  )
  return gone.map(({ role }) => role)
}, Effect.scoped)

const connecting = (verb: "grant" | "revoke", preposition: "to" | "from", role: string) =>
  `do $$ begin execute format('${verb} connect on database %I ${preposition} ${role}', current_database()); end $$`

// Against accidents: the login may change these for itself. It cannot change the connection limit, the expiry, the visible rows and the
// limit on temporary files: that one only a superuser may set. transaction_timeout exists from 17 on.
const limits = (role: string) => `
  do $$
  declare
    wanted record;
  begin
    for wanted in
      select * from (values
        ('default_transaction_read_only', 'on'), ('statement_timeout', '60s'), ('lock_timeout', '3s'),
        ('idle_in_transaction_session_timeout', '60s'), ('idle_session_timeout', '1h'), ('transaction_timeout', '10min'),
        ('work_mem', '16MB'), ('max_parallel_workers_per_gather', '0'), ('row_security', 'on'), ('temp_file_limit', '256MB'),
        ('search_path', null)
      ) as setting (name, value)
    loop
      continue when wanted.name = 'transaction_timeout' and current_setting('server_version_num')::integer < 170000;
      continue when wanted.name = 'temp_file_limit' and not has_parameter_privilege('temp_file_limit', 'set');
      execute format('alter role ${role} set %I = %s', wanted.name, coalesce(quote_literal(wanted.value), 'audit, app, pg_temp'));
    end loop;
  end $$`

const decodeReaders = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({ role: Schema.String, tenant_id: Schema.NullOr(Schema.String), id: Schema.NullOr(Schema.String) })
  )
)

/** By the server's clock, which also decides when it expires. */
const expiry = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, lifetime: Duration.Duration) {
  const [answer] = yield* rows(connection, "select now() + make_interval(secs => $1::float8) as at", [
    Duration.toSeconds(lifetime)
  ])
  const { at } = yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Struct({ at: Schema.Date }))(answer))
  return at
})

/** In the tenant's audit log, where it is about one; as the owner of auth, who may for every tenant, in the transaction of the action. */
const record = Effect.fnUntraced(function* (
  connection: PgConnection.PgConnection,
  tenant: string | null,
  action: string,
  detail: object
) {
  if (tenant === null) return
  const names = yield* Roles
  yield* rows(connection, `set local role ${names.auth}`)
  yield* rows(
    connection,
    `insert into app.audit_events (tenant_id, id, action, target_kind, detail)
     values ($1::uuid, auth.uuid_v7(), $2::text, 'reader', $3::text::jsonb)`,
    [tenant, action, JSON.stringify(detail)]
  )
})

/** Ends their sessions; where the administrator may not, the login that is left reads nothing. */
const hangUp = (connection: PgConnection.PgConnection, ids: ReadonlyArray<string>) =>
  Effect.ignore(
    rows(
      connection,
      "select pg_terminate_backend(pid) from pg_stat_activity where usesysid::text = any ($1::text[]) and datname = current_database()",
      [ids]
    )
  )
