import { Context } from "effect"

/** The prefix of an installation's roles: roles belong to the whole server, and the prefix tells two installations in it apart. */
export const DEFAULT_PREFIX = "llm_"

/** The roles of one installation, by purpose; `sql/roles` says what each may do. */
export interface RoleNames {
  readonly prefix: string
  readonly owner: string
  readonly auth: string
  readonly work: string
  readonly tracking: string
  readonly operator: string
  readonly tenant: string
  /** Logs in to serve requests. */
  readonly api: string
  /** Logs in for work across tenants. */
  readonly jobs: string
  readonly auditor: string
  readonly reader: string
  readonly readerContent: string
  /** The role a dump is made as. */
  readonly backup: string
  /** The role that ends sessions of auditors at psql. */
  readonly sessions: string
}

export const roleNames = (prefix: string): RoleNames => ({
  prefix,
  owner: `${prefix}owner`,
  auth: `${prefix}auth`,
  work: `${prefix}work`,
  tracking: `${prefix}tracking`,
  operator: `${prefix}operator`,
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

/**
 * Characters. PostgreSQL cuts names at 63 bytes; our longest is `reader_` and twelve hexadecimal digits, with reserve for one more role.
 */
const PREFIX_CHARACTERS = 40

/** Suffixes of role names. Inside a prefix they would make one installation's roles look like another's. */
const PARTS = /(?:^|_)(?:owner|auth|work|tracking|operator|tenant|api|jobs|auditor|reader|backup|sessions)_/u

/** Why a prefix cannot be used; undefined for one that can. */
export const prefixTrouble = (prefix: string): string | undefined =>
  !/^[a-z][a-z0-9_]*_$/u.test(prefix)
    ? "lower-case letters, digits and underscores, a letter first and an underscore last"
    : prefix.length > PREFIX_CHARACTERS
      ? `at most ${PREFIX_CHARACTERS} characters`
      : prefix.startsWith("pg_")
        ? "not pg_, which is PostgreSQL's own"
        : PARTS.test(prefix)
          ? "none of the words that roles are called by, such as api, owner or reader"
          : undefined

/**
 * The text of a file of `sql/` for an installation with this prefix. The files contain the default one: psql runs them unchanged. In a LIKE
 * pattern the underscore is escaped. A name that only ends like a role's, such as a lint's, is kept.
 */
export const withPrefix = (text: string, prefix: string): string =>
  prefix === DEFAULT_PREFIX
    ? text
    : text.replaceAll(/(?<![A-Za-z0-9_])llm(\\?)_/gu, (_, escape: string) => prefix.replaceAll("_", `${escape}_`))

/** The roles of this installation; those with the default prefix unless the program says otherwise. */
export const Roles = Context.Reference<RoleNames>("@llm-saas/database/logins/Roles", {
  defaultValue: () => roleNames(DEFAULT_PREFIX)
})
