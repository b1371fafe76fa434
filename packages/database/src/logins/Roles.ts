import { Context } from "effect"

/** How the roles of an installation begin: they belong to the whole server, and two installations in one tell them apart by it. */
export const DEFAULT_PREFIX = "llm_"

/** The roles of one installation, by what they are for; `sql/roles` says what each may do. */
export interface RoleNames {
  readonly prefix: string
  readonly owner: string
  readonly auth: string
  readonly work: string
  readonly tracking: string
  readonly tenant: string
  /** Logs in to serve requests. */
  readonly api: string
  /** Logs in for work that is across tenants. */
  readonly jobs: string
  readonly auditor: string
  readonly reader: string
  readonly readerContent: string
  /** What a dump is made as. */
  readonly backup: string
  /** What the sessions of people at psql are ended as. */
  readonly sessions: string
}

export const roleNames = (prefix: string): RoleNames => ({
  prefix,
  owner: `${prefix}owner`,
  auth: `${prefix}auth`,
  work: `${prefix}work`,
  tracking: `${prefix}tracking`,
  tenant: `${prefix}tenant`,
  api: `${prefix}api`,
  jobs: `${prefix}jobs`,
  auditor: `${prefix}auditor`,
  reader: `${prefix}reader`,
  readerContent: `${prefix}reader_content`,
  backup: `${prefix}backup`,
  sessions: `${prefix}sessions`
})

/** The names alone. */
export const everyRole = (prefix: string): ReadonlyArray<string> =>
  Object.entries(roleNames(prefix)).flatMap(([of, name]) => (of === "prefix" ? [] : [name]))

/** PostgreSQL cuts names at 63 bytes; the longest of ours is `reader_` and twelve hexadecimal digits, and one more role may come. */
const LONGEST = 40

/** What the names of roles go on with. Inside of a prefix they would make one installation's roles look like another's. */
const PARTS = /(?:^|_)(?:owner|auth|work|tracking|tenant|api|jobs|auditor|reader|backup|sessions)_/u

/** Why a prefix cannot be used; undefined for one that can. */
export const prefixTrouble = (prefix: string): string | undefined =>
  !/^[a-z][a-z0-9_]*_$/u.test(prefix)
    ? "lower-case letters, digits and underscores, a letter first and an underscore last"
    : prefix.length > LONGEST
      ? `at most ${LONGEST} characters`
      : prefix.startsWith("pg_")
        ? "not pg_, which is PostgreSQL's own"
        : PARTS.test(prefix)
          ? "none of the words that roles are called by, such as api, owner or reader"
          : undefined

/**
 * The text of a file of `sql/` for an installation with this prefix. The files have the default one: psql runs them as they are. In a
 * LIKE pattern the underscore is escaped. A name that only ends in a role's, such as a lint's, is left alone.
 */
export const withPrefix = (text: string, prefix: string): string =>
  prefix === DEFAULT_PREFIX
    ? text
    : text.replaceAll(/(?<![A-Za-z0-9_])llm(\\?)_/gu, (_, escape: string) => prefix.replaceAll("_", `${escape}_`))

/** The roles of this installation; those with the default prefix unless the program says otherwise. */
export const Roles = Context.Reference<RoleNames>("@llm-saas/database/logins/Roles", {
  defaultValue: () => roleNames(DEFAULT_PREFIX)
})
