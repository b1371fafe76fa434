import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { MigrationFailed } from "../MigrationFailed.ts"
import { everyRole, Roles } from "./Roles.ts"
import { rows } from "../connections/Script.ts"

// Other programs and installations in the same database or server. Schemas belong to a database, roles to all databases of a server:
// nothing of another program or installation is changed.

/** The schemas of this program. */
export const SCHEMAS = ["app", "auth", "work", "tracking", "operator", "audit", "lint", "meta"]

const occupied = (detail: string) => new MigrationFailed({ reason: "occupied", detail })

const decodeSchemas = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      name: Schema.String,
      owner: Schema.String,
      prefix: Schema.NullOr(Schema.String),
      restored: Schema.Boolean
    })
  )
)

/** Our schemas that the owner of this installation does not own. `restored`: the administrator owns them, with our history in them. */
const foreignSchemas = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { owner, prefix } = yield* Roles
  const found = yield* rows(
    connection,
    `select n.nspname::text as name, r.rolname::text as owner,
       case when history.there then substring(r.rolname from '^(.*_)owner$') end as prefix,
       history.there and r.rolname = session_user as restored
     from pg_namespace n join pg_roles r on r.oid = n.nspowner
     cross join (
       select count(*) = 3 as there from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace m on m.oid = c.relnamespace
       where m.nspname = 'meta' and c.relname = 'migrations' and a.attname in ('version', 'checksum', 'breaking')
     ) as history
     where n.nspname = any ($1::text[]) and r.rolname <> $2::text and not r.rolname = any ($3::text[]) order by 1`,
    // Owned by another of our roles, so it is ours: a migration corrects the owner.
    [SCHEMAS, owner, everyRole(prefix)]
  )
  return yield* Effect.orDie(decodeSchemas(found))
})

/** Fails where one of our schemas exists and belongs to another owner. */
export const checkSchemas = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { prefix } = yield* Roles
  const theirs = (yield* foreignSchemas(connection)).find(({ restored }) => !restored)
  if (theirs === undefined) return
  return yield* occupied(
    theirs.prefix === null
      ? `schema ${theirs.name} of this database belongs to ${theirs.owner}, and this program makes schemas called ${SCHEMAS.join(", ")}: give it a database of its own (create database …). Nothing was changed`
      : `this database was made with DATABASE_ROLE_PREFIX=${theirs.prefix}, and not with ${prefix}: set it to that. Nothing was changed`
  )
})

/**
 * Whether parts of what `sql/` builds are missing although the history says otherwise: a dump that was restored without our roles, without
 * owners, or without privileges, has tables and rows, and nothing around them.
 */
export const isBare = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { api, tenant } = yield* Roles
  const bare = yield* rows(
    connection,
    `select from pg_namespace n
     where n.nspname = 'app' and (
       to_regrole($1::text) is null or to_regrole($2::text) is null
       or not exists (select from aclexplode(n.nspacl) a where a.grantee = to_regrole($1::text))
       or not exists (select from pg_proc p where p.pronamespace = n.oid)
       or exists (
         select from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p') and (
           not c.relrowsecurity or not c.relforcerowsecurity or not exists (
             select from pg_policy p where p.polrelid = c.oid and not p.polpermissive and to_regrole($2::text) = any (p.polroles)
           )
         )
       )
     )`,
    [api, tenant]
  )
  return bare.length > 0 || (yield* foreignSchemas(connection)).length > 0
})

/**
 * Gives what the administrator restored to the owner of this installation: the schemas, the tables and the objects that belong to them.
 * Everything else in them is rebuilt. As the administrator, in a transaction, once the roles exist.
 */
export const adopt = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { owner } = yield* Roles
  const known = yield* rows(connection, "select from pg_roles where rolname = $1::text", [owner])
  if (known.length === 0 || (yield* foreignSchemas(connection)).length === 0) return
  yield* rows(
    connection,
    `do $adopt$
    declare
      found record;
    begin
      -- Who gets a schema must have the right to make one.
      execute format('grant create on database %I to ${owner}', current_database());
      for found in select nspname from pg_namespace
        where nspname = any ('{${SCHEMAS.join(",")}}'::name[]) and nspowner = to_regrole(quote_ident(session_user))
      loop
        execute format('alter schema %I owner to ${owner}', found.nspname);
      end loop;
      for found in select c.oid::regclass as place from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('app', 'operator', 'meta') and c.relkind in ('r', 'p') and c.relowner = to_regrole(quote_ident(session_user))
      loop
        execute format('alter table %s owner to ${owner}', found.place);
      end loop;
      execute format('revoke create on database %I from ${owner}', current_database());
    end $adopt$`
  )
})

const decodeNames = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ name: Schema.String })))

/** The other databases of the server in which a role owns objects or has rights, or to which it may connect. */
const otherDatabases = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, role: string) {
  const found = yield* rows(
    connection,
    `select distinct d.datname::text as name
     from pg_shdepend s
     join pg_database d on d.oid = case when s.dbid = 0 and s.classid = 'pg_database'::regclass then s.objid else s.dbid end
     where s.refclassid = 'pg_authid'::regclass and s.refobjid = (select oid from pg_roles where rolname = $1::text)
       and d.datname <> current_database()
     order by 1`,
    [role]
  )
  return (yield* Effect.orDie(decodeNames(found))).map(({ name }) => name)
})

const WAY_OUT =
  "set DATABASE_ROLE_PREFIX to a prefix of this installation's own, such as second_, and each keeps its own roles"

const named = ([first = "", ...more]: ReadonlyArray<string>) =>
  `database ${first}${more.length === 0 ? "" : ` and ${more.length} more of this server`}`

/** Fails where another database's installation logs in as this role: a password is the whole server's. */
export const checkPasswordIsOurs = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, role: string) {
  const others = yield* otherDatabases(connection, role)
  if (others.length === 0) return
  return yield* occupied(
    `the role ${role} has another password, and ${named(others)} uses it. For two installations in one server ${WAY_OUT}; `
      + "for one that is in two databases use the same SECRET_KEY or the same URLs, or change the password with psql"
  )
})

/** A role's state in all databases of a server: its attributes, settings and memberships. */
const shared = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { prefix } = yield* Roles
  return JSON.stringify(
    yield* rows(
      connection,
      `select r.rolname::text, r.rolcanlogin, r.rolinherit, r.rolconnlimit, r.rolconfig::text,
         array(
           select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid order by 1
         )::text as member_of
       from pg_roles r where r.rolname = any ($1::text[]) order by 1`,
      [everyRole(prefix)]
    )
  )
})

/**
 * Runs `change`, which makes the roles. For a database that is new here, fails if it changed a role that another database's installation
 * uses: two versions of this program in one server, with different limits, would overwrite each other's.
 */
export const sparingOthers = <A, E, R>(
  connection: PgConnection.PgConnection,
  change: Effect.Effect<A, E, R>
): Effect.Effect<A, E | MigrationFailed, R> =>
  Effect.gen(function* () {
    const { owner, prefix } = yield* Roles
    const others = yield* otherDatabases(connection, owner)
    if (others.length === 0) return yield* change
    const before = yield* shared(connection)
    const made = yield* change
    if ((yield* shared(connection)) === before) return made
    return yield* occupied(
      `the roles ${prefix}… of this server are those of ${named(others)}, an installation with other limits than this program's: ${WAY_OUT}. Nothing was changed`
    )
  })
