import { Effect, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Connection } from "../connections/Session.ts"

// How a database differs from what sql/ makes. The whole catalogue of PostgreSQL, as text from audit.catalogue(), is compared with
// sql/catalogue.tsv: one rule for everything, so that a change is found without a rule of its own.

/** One fact of PostgreSQL's catalogue: an aspect of an object of a kind. */
export const Fact = Schema.Struct({
  kind: Schema.String,
  object: Schema.String,
  aspect: Schema.String,
  fact: Schema.String
})
export type Fact = typeof Fact.Type

/** A difference: unexpected, missing, or changed. */
export interface Difference {
  readonly kind: string
  readonly object: string
  readonly aspect: string
  readonly is: string | undefined
  readonly expected: string | undefined
  /** `ours`: of this program's own objects and roles. `server`: of the server around them, which sql/ does not make. */
  readonly whose: "ours" | "server"
}

const Live = Schema.Struct({
  /** Whether a superuser migrated, who can revoke PostgreSQL's own grants to PUBLIC. */
  hardened: Schema.Boolean,
  major: Schema.Int,
  facts: Schema.Array(
    Schema.Tuple([
      Schema.String,
      Schema.String,
      Schema.String,
      Schema.String,
      Schema.Literals(["ours", "server"]),
      Schema.Boolean
    ])
  ),
  /** The functions that enable it, not by themselves. */
  sayers: Schema.Array(Schema.Tuple([Schema.String, Schema.String]))
})
export type Live = typeof Live.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Live))

const QUERY = `
  select jsonb_build_object(
    'hardened', exists (select from meta.accepted where kind = 'hardened'),
    'major', current_setting('server_version_num')::int / 10000,
    'facts', (select jsonb_agg(jsonb_build_array(kind, object, aspect, fact, whose, accepted)) from audit.catalogue()),
    'sayers', (
      select jsonb_agg(jsonb_build_array(p.oid::regprocedure::text, pg_catalog.pg_get_functiondef(p.oid)))
      from pg_catalog.pg_proc p where p.pronamespace = 'audit'::regnamespace and p.prokind = 'f' and p.prosqlbody is null
    )
  )::text as live`

/** The current facts of the catalogue. Needs no more rights than llm_api has. */
export const readLive = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Live, SqlError> {
  const { rows } = yield* connection.query(QUERY, [])
  const { live } = yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Struct({ live: Schema.String }))(rows[0]))
  return yield* Effect.orDie(decode(live))
})

/** Every difference between actual and expected facts, in the order of the objects. */
export const differences = (live: Live, expected: ReadonlyArray<Fact>): ReadonlyArray<Difference> => {
  const same = live.major < 16 ? unqualified : (_: string, fact: string) => fact
  const wanted = new Map(expected.map((fact) => [keyOf(fact.kind, fact.object, fact.aspect), fact]))
  const found: Array<Difference> = []
  // A role that opens a part of it again may also remove its fact; a provider may have closed some of it.
  const closed = live.facts.filter(
    ([kind, object, aspect]) => aspect.startsWith("closed to ") && wanted.has(keyOf(kind, object, aspect))
  )
  const hardened = live.hardened || closed.length > 20
  for (const [kind, object, aspect, fact, whose, accepted] of live.facts) {
    const key = keyOf(kind, object, aspect)
    const right = wanted.get(key)
    wanted.delete(key)
    if (right !== undefined) {
      if (same(kind, right.fact) !== same(kind, fact))
        found.push({ kind, object, aspect, is: fact, expected: right.fact, whose })
      // A grant of PostgreSQL's own that is missing is no fault.
    } else if (!accepted && !(kind === "built-in" && aspect.startsWith("closed to ")))
      found.push({ kind, object, aspect, is: fact, expected: undefined, whose })
  }
  for (const { aspect, fact, kind, object } of wanted.values())
    if (hardened || !byHardening(kind, object))
      found.push({ kind, object, aspect, is: undefined, expected: fact, whose: "ours" })
  return [...found, ...liars(live, expected).filter(({ object }) => !found.some((known) => known.object === object))]
}

/** audit.catalogue() is part of what is compared, so it is also checked without it. */
const liars = ({ sayers }: Live, expected: ReadonlyArray<Fact>): ReadonlyArray<Difference> => {
  const now = new Map(sayers)
  return expected.flatMap(({ aspect, fact, kind, object }) => {
    if (
      kind !== "function"
      || aspect !== "definition"
      || !object.startsWith("audit.")
      || !fact.includes("AS $function$")
    )
      return []
    if (now.get(object) === fact) return []
    return [
      { kind, object, aspect: "definition, read directly", is: now.get(object), expected: fact, whose: "ours" } as const
    ]
  })
}

/** What only a superuser's migration makes: roles/30_hardening.sql. */
const byHardening = (kind: string, object: string) =>
  kind === "built-in" || kind === "event trigger" || object === "meta.no_ddl()"

/** Before 16, PostgreSQL names the table with every column of a view that reads one table; from then on it does not. */
const unqualified = (kind: string, fact: string) =>
  kind === "view" ? fact.replaceAll(/\b[a-z_]+\.(?=[a-z_"])/gu, "") : fact

const keyOf = (...parts: ReadonlyArray<string>) => parts.join("\0")

/** The difference, in one line. */
export const inWords = ({ aspect, expected, is }: Difference) =>
  is === undefined
    ? `${aspect} is missing${expected === "" || expected === undefined ? "" : `: ${shortened(expected)}`}`
    : expected === undefined
      ? `${aspect} is not to be there${is === "" ? "" : `: ${shortened(is)}`}`
      : `${aspect} is ${shortened(is, expected)}, and should be ${shortened(expected, is)}`

/** With the object's name. */
export const nameOf = (difference: Difference) =>
  `${difference.kind} ${difference.object}: ${inWords(difference)}`.replaceAll("  ", " ")

/** Of a long text, the part where it begins to differ from the other. */
const shortened = (text: string, other = "") => {
  const line = text.replaceAll(/\s+/gu, " ")
  if (line.length <= 160) return line === "" ? "nothing" : line
  const beside = other.replaceAll(/\s+/gu, " ")
  const from = Math.max(0, [...line].findIndex((letter, place) => letter !== beside[place]) - 40)
  return `${from > 0 ? "… " : ""}${line.slice(from, from + 120)} …`
}
