const SECRETS: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/giu, "$1***@"],
  // a JSON Web Token, whole or in a header
  [/\beyJ[\w-]{4,}\.[\w-]+\.?[\w-]*/gu, "***"],
  [/\b(Bearer|Basic)\s+[\w~+/.=-]+/giu, "$1 ***"],
  // a password hash
  [/\$argon2[a-z]*\$[^\s"']*/gu, "***"],
  // an API key of a model vendor
  [/\b(?:sk|pk|rk)-[\w-]{8,}/gu, "***"],
  // password=…, "secret": "…" and the like
  [
    /((?:password|passwd|secret|token|api[_-]?key|authorization|credential)s?["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"'}]+)/giu,
    "$1***"
  ],
  // the key of a violated constraint, as PostgreSQL quotes it: Key (tenant_id, email)=(…, …)
  [/(Key \([^)]*\)=)\([^\n]*?\)(?=[\s.]|$)/gu, "$1(***)"],
  // what a schema or PostgreSQL got instead of what it expected
  [/(, (?:got|actual) )[^\n]*/gu, "$1***"],
  [/(invalid input (?:syntax|value) for [^:\n]*: )[^\n]*/gu, "$1***"]
]

const MAX = 8000

/** The text as it may be logged: without what is a secret or quotes one, and of a bounded length. */
export const redact = (text: string): string => {
  let safe = text.length > MAX ? `${text.slice(0, MAX)}…` : text
  for (const [pattern, replacement] of SECRETS) safe = safe.replace(pattern, replacement)
  return safe
}
