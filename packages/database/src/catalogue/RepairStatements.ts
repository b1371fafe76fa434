import type { Difference } from "./Drift.ts"

// Repairs differences that rebuilding functions, policies, grants and views does not: those of roles, of the database, and of PostgreSQL
// itself. A program cannot repair the others: a column, a key, an unexpected superuser.

/** The repair, as statements for the administrator. None: a program cannot repair it. */
export const repairStatements = (difference: Difference, database: string): ReadonlyArray<string> => {
  const { aspect, kind, object } = difference
  if (aspect === "owner")
    return difference.expected === undefined ? [] : [`alter ${kind} ${object} owner to ${name(difference.expected)}`]
  const grantee = aspect.startsWith("grant to ") ? roleOf(aspect.slice("grant to ".length)) : undefined
  switch (kind) {
    case "role":
      return ofRole(difference, database)
    case "database":
      return regranted(difference, grantee, `database ${name(database)}`)
    case "schema":
      return regranted(difference, grantee, `schema ${name(object)}`)
    case "function":
      return grantee === undefined ? [] : [`revoke all on function ${object} from ${grantee} cascade`]
    case "relation":
    case "table":
    case "partitioned table":
    case "view":
      return ofTable(difference, grantee)
    case "default privileges":
      return defaults(difference, grantee)
    case "parameter":
      return grantee === undefined ? [] : [`revoke all on parameter ${object} from ${grantee} cascade`]
    case "built-in":
      return ofBuiltIn(difference)
    default:
      return []
  }
}

/** `public`, or a role. */
const roleOf = (text: string) => (text === "public" ? "public" : name(text))

const name = (text: string) => `"${text.replaceAll('"', '""')}"`

const regranted = ({ expected }: Difference, grantee: string | undefined, place: string) =>
  grantee === undefined
    ? []
    : [
        `revoke all on ${place} from ${grantee} cascade`,
        ...(expected === undefined ? [] : [`grant ${expected} on ${place} to ${grantee}`])
      ]

const ofTable = (difference: Difference, grantee: string | undefined) => {
  const { aspect, object } = difference
  if (grantee !== undefined) {
    // Revoking a right to a column is written like one to the table: for all columns.
    return [`revoke all on table ${object} from ${grantee} cascade`]
  }
  if (aspect === "storage" && difference.expected !== undefined) return ofStorage(difference)
  if (aspect.startsWith("column ") && difference.expected !== undefined) return ofColumn(difference)
  if (aspect.startsWith("rule ")) return [`drop rule ${name(aspect.slice("rule ".length))} on ${object}`]
  if (aspect.startsWith("trigger of constraint ")) return [`alter table ${object} enable trigger all`]
  return aspect === "taken from its owner"
    ? [
        `do $$ begin execute format('grant all on table ${object} to %I', (select relowner::regrole from pg_class where oid = '${literal(object)}'::regclass)); end $$`
      ]
    : []
}

/** The fact for a table with default storage. */
const ofStorage = ({ is = "", object }: Difference) => [
  ...(is.includes("replica identity") ? [`alter table ${object} replica identity default`] : []),
  ...[...is.matchAll(/\b(\w+)=/gu)].map(([, option]) => `alter table ${object} reset (${option})`)
]

/** Not null, the default and the options of a column; its type belongs to its rows and stays. */
const ofColumn = ({ aspect, expected = "", is, object }: Difference) => {
  if (is === undefined) return []
  const column = `alter table ${object} alter column ${name(aspect.slice("column ".length))}`
  const defaultOf = (text: string) => /\bdefault (.+?)(?: identity \w)?(?: statistics \d+)?$/su.exec(text)?.[1]
  const required = / not null\b/u.test(expected)
  return [
    ...(required === / not null\b/u.test(is) ? [] : [`${column} ${required ? "set" : "drop"} not null`]),
    ...(defaultOf(expected) === defaultOf(is)
      ? []
      : [
          defaultOf(expected) === undefined ? `${column} drop default` : `${column} set default ${defaultOf(expected)}`
        ]),
    ...[...is.matchAll(/\b(\w+)=/gu)].map(([, option]) => `${column} reset (${option})`)
  ]
}

const literal = (text: string) => text.replaceAll("'", "''")

const RIGHTS = ["superuser", "bypassrls", "createrole", "createdb", "replication"]

const ofRole = ({ aspect, expected, is, object }: Difference, database: string): ReadonlyArray<string> => {
  const role = name(object)
  if (aspect === "attributes") {
    if (expected === undefined) return []
    const words = new Set((is ?? "").split(" "))
    return [
      // Only a superuser may name attributes that the role does not have; so only the ones it has are removed.
      ...RIGHTS.filter((right) => words.has(right)).map((right) => `alter role ${role} no${right}`),
      `alter role ${role} ${/\blogin\b/u.test(expected) ? "login" : "nologin"} ${
        /\binherit\b/u.test(expected) ? "inherit" : "noinherit"
      } connection limit ${/connections (-?\d+)/u.exec(expected)?.[1] ?? "-1"}`,
      ...(is?.includes("valid until") === true ? [`alter role ${role} valid until 'infinity'`] : [])
    ]
  }
  if (aspect.startsWith("member of ")) return ofMember(role, name(aspect.slice("member of ".length)), expected)
  const [, setting = "", there] = /^set (\S+)( in .+)?$/u.exec(aspect) ?? []
  if (setting === "") return []
  return expected === undefined
    ? [`alter role ${role} ${there === undefined ? "" : `in database ${name(database)} `}reset ${name(setting)}`]
    : []
}

/** From 16 on a membership has a grantor, and one row per grantor. */
const ofMember = (member: string, role: string, expected: string | undefined) => [
  `do $$ declare g record; begin
     for g in select distinct grantor::regrole as giver from pg_auth_members where roleid = '${literal(role)}'::regrole and member = '${literal(member)}'::regrole loop
       if current_setting('server_version_num')::int < 160000 then execute 'revoke ${literal(role)} from ${literal(member)} cascade';
       else execute format('revoke ${literal(role)} from ${literal(member)} granted by %s cascade', g.giver); end if;
     end loop;
   end $$`,
  ...(expected === undefined
    ? []
    : [
        `do $$ begin
           execute 'grant ${literal(role)} to ${literal(member)}' || case when current_setting('server_version_num')::int < 160000 then ''
             else ' with inherit ${String(expected.includes("inherits"))}, set ${String(expected.includes("may become"))}' end;
         end $$`
      ])
]

const KINDS: Readonly<Record<string, string>> = {
  r: "tables",
  S: "sequences",
  f: "functions",
  T: "types",
  n: "schemas",
  L: "large objects"
}

const defaults = ({ expected, object }: Difference, grantee: string | undefined) => {
  const [, role = "", schema, of = ""] = /^(\S+)(?: in (\S+))? for (\w)$/u.exec(object) ?? []
  const things = KINDS[of]
  if (things === undefined || grantee === undefined || expected !== undefined) return []
  const owner = role === "(administrator)" ? "" : ` for role ${name(role)}`
  return [
    `alter default privileges${owner}${schema === undefined ? "" : ` in schema ${schema}`} revoke all on ${things} from ${grantee} cascade`
  ]
}

const ofBuiltIn = ({ aspect, is, object }: Difference) => {
  const grantee = aspect.startsWith("open to ") ? roleOf(aspect.slice("open to ".length)) : undefined
  if (grantee === undefined || is === undefined) return []
  const [, thing = "", of = ""] = /^(\w+) (.+)$/su.exec(object) ?? []
  if (thing !== "column")
    return [`revoke ${is} on ${thing === "relation" ? "table" : thing} ${of} from ${grantee} cascade`]
  const dot = of.lastIndexOf(".")
  return [
    `revoke ${is
      .split(", ")
      .map((verb) => `${verb} (${of.slice(dot + 1)})`)
      .join(", ")} on table ${of.slice(0, dot)} from ${grantee} cascade`
  ]
}
