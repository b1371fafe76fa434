import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { readCatalogueFile } from "./CatalogueFile.ts"
import { type Difference, differences, nameOf, readLive } from "./Drift.ts"
import { failedStatement, MigrationFailed } from "../MigrationFailed.ts"
import { repairStatements } from "./RepairStatements.ts"
import { Roles, withPrefix } from "../logins/Roles.ts"
import { rows } from "../connections/Script.ts"
import type { SqlFiles } from "../SqlFiles.ts"

// A migration compares the result with what it should be, repairs differences, and refuses what it cannot repair.

/**
 * How the database differs from what these files make. Empty where `catalogue.tsv` belongs to other files: they are being edited. Works
 * inside and outside a transaction.
 */
export const driftOf = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, files: SqlFiles) {
  const expected = yield* readCatalogueFile(files.directory)
  if (expected.content !== files.content) return []
  return yield* readLive(connection).pipe(
    Effect.map((live) => differences(live, expected.facts)),
    Effect.mapError((error) => failedStatement(error)),
    within(connection, "look"),
    Effect.catchIf(
      // No such function, table or schema, or no right to it: that itself is a difference.
      ({ state }) => state?.startsWith("42") === true || state?.startsWith("3F") === true,
      () => Effect.succeed([UNREADABLE])
    )
  )
})

const UNREADABLE: Difference = {
  kind: "function",
  object: "audit.catalogue()",
  aspect: "its answer",
  is: undefined,
  expected: "",
  whose: "ours"
}

/** In a subtransaction where there is a transaction, so that a refusal does not abort it. */
const within =
  (connection: PgConnection.PgConnection, name: string) =>
  <A>(work: Effect.Effect<A, MigrationFailed>): Effect.Effect<A, MigrationFailed> =>
    Effect.gen(function* () {
      const inside = yield* Effect.isSuccess(rows(connection, `savepoint ${name}`))
      if (!inside) return yield* work
      const done = yield* Effect.exit(work)
      if (done._tag === "Failure") yield* rows(connection, `rollback to savepoint ${name}`)
      yield* rows(connection, `release savepoint ${name}`)
      return yield* done
    })

/** The differences that a migration found after building everything again. */
export interface Repaired {
  readonly mended: ReadonlyArray<Difference>
  readonly foreign: ReadonlyArray<Difference>
}

/** The last step of a migration, in its transaction. Fails with reason `drift` and changes nothing if a difference cannot be repaired. */
export const repairSchema = Effect.fnUntraced(function* (
  connection: PgConnection.PgConnection,
  files: SqlFiles,
  foreign: "refuse" | "report" | "accept"
) {
  const { owner, prefix } = yield* Roles
  yield* rows(connection, `set local role ${owner}`)
  if (foreign === "accept")
    yield* rows(connection, "delete from meta.accepted where kind not in ('administrator', 'hardened')")
  yield* rows(connection, withPrefix(ACCEPT, prefix))
  yield* rows(connection, "set local role none")
  const found = yield* driftOf(connection, files)
  const ours = found.filter(({ whose }) => whose === "ours")
  if (ours.length > 0) yield* mendAll(connection, ours)
  const left = ours.length === 0 ? found : yield* driftOf(connection, files)
  const refused = foreign === "refuse" ? left : left.filter(({ whose }) => whose === "ours")
  if (refused.length > 0) return yield* drifted(refused)
  const mended: Repaired = { mended: ours, foreign: left }
  return mended
})

const mendAll = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, ours: ReadonlyArray<Difference>) {
  const [answer] = yield* rows(connection, "select current_database()::text as name")
  const { name } = yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Struct({ name: Schema.String }))(answer))
  // A refused statement changes nothing, and is reported afterwards.
  for (const statement of [...new Set(ours.flatMap((difference) => repairStatements(difference, name))), INTERNALS])
    yield* Effect.ignore(within(connection, "mending")(rows(connection, statement)))
})

/** The differences that cannot be repaired, and what to do about them. */
export const drifted = (differences: ReadonlyArray<Difference>) =>
  new MigrationFailed({
    reason: "drift",
    detail: [
      "the database is not what sql/ makes, and this cannot be mended by a migration:",
      ...differences.map(nameOf),
      ...(differences.some(({ whose }) => whose === "server")
        ? ["What belongs to the server and is there on purpose is accepted by a migration with --accept"]
        : [])
    ].join("\n  ")
  })

// Facts of the server, stored once: again after an upgrade of PostgreSQL, or a restore on another server with other built-in functions.
const ACCEPT = `
  with server as (
    select 'server' as kind, '' as object, 'identity' as aspect, format('%s %s', system_identifier, catalog_version_no) as fact from pg_control_system()
  ), known as (
    select from meta.accepted a join server s using (kind, object, aspect, fact)
  ), facts as (
    select * from server
    union all select i.kind, i.object, i.aspect, i.fact from audit.catalogue_internals() i
    union all select e.kind, e.object, e.aspect, e.fact from audit.catalogue_environment() e
    union all select b.kind, b.object, b.aspect, b.fact from audit.catalogue_builtins() b where b.aspect ~ '^open to' and b.aspect !~ 'to (public|llm_[a-z]+)$'
  )
  insert into meta.accepted (kind, object, aspect, fact)
  select kind, object, aspect, string_agg(fact, '; ' order by fact) from facts where not exists (select from known) group by 1, 2, 3
  on conflict (kind, object, aspect) do update set fact = excluded.fact, accepted_at = now()`

// PostgreSQL's own functions, restored: leakproof or not, strict or not, how volatile. Needs a superuser.
const INTERNALS = `
  do $$ declare f record; begin
    for f in
      select i.object::oid::regprocedure as place, string_to_array(a.fact, '|') as was
      from audit.catalogue_internals() i join meta.accepted a using (kind, object, aspect)
      where i.aspect = 'attributes' and i.fact is distinct from a.fact
    loop
      execute format('alter routine %s %s %s %s %s parallel %s', f.place,
        case when f.was[3]::bool then 'security definer' else 'security invoker' end, case when f.was[4]::bool then 'leakproof' else 'not leakproof' end,
        case when f.was[5]::bool then 'strict' else 'called on null input' end,
        case f.was[6] when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
        case f.was[7] when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end);
      execute format('alter routine %s owner to %s', f.place, f.was[2]::oid::regrole);
      if f.was[8] = '' then execute format('alter routine %s reset all', f.place); end if;
    end loop;
    for f in select substr(c.object, 10) as place from audit.catalogue() c where c.aspect = 'leakproof' loop
      execute format('alter routine %s not leakproof', f.place);
    end loop;
  end $$`

/** Objects with a wrong owner cannot be rebuilt by the right one. Runs first, as the administrator. */
export const reclaim = (connection: PgConnection.PgConnection) =>
  Effect.flatMap(Roles, ({ prefix }) =>
    Effect.ignore(within(connection, "reclaiming")(rows(connection, withPrefix(RECLAIM, prefix))))
  )

const RECLAIM = `
  do $$ declare o record; begin
    if to_regrole('llm_owner') is null then return; end if;
    for o in
      select nspname from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta') and nspowner <> to_regrole('llm_owner')
    loop
      execute format('alter schema %I owner to llm_owner', o.nspname);
    end loop;
    for o in
      select oid::regclass as place from pg_class
      where relnamespace in (to_regnamespace('app'), to_regnamespace('operator'), to_regnamespace('meta')) and relkind in ('r', 'p') and relowner <> to_regrole('llm_owner')
    loop
      execute format('alter table %s owner to llm_owner', o.place);
    end loop;
  end $$`
