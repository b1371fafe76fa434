import { Effect } from "effect"

/**
 * What a text is redacted for. `log`: a line of the log, which must show no secret and quote no input. `content`: a question or an answer
 * on its way to MLflow, without secrets and without personal data.
 */
export type Purpose = "log" | "content"

/** One kind of thing that is taken out of a text. What the pattern's first group matched stays; the rest is replaced by a mark. */
export interface RedactionRule {
  readonly label: string
  readonly pattern: RegExp
  /** The only purpose it is for; both, where it is not given. */
  readonly only?: Purpose
}

// Every pattern here runs over text that a tenant chose, up to a whole answer. So none may take more than linear time: a pattern begins
// where a run of its own characters begins (a lookbehind says so) or at a literal that its own repetition cannot contain, and no two
// repetitions beside each other take the same character. `packages/testing/test/patterns.test.ts` tries each with texts made against it.

/** Everything that is redacted, in the order in which it is looked for. */
export const RULES: ReadonlyArray<RedactionRule> = [
  {
    label: "private key",
    pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/gu
  },
  // user:password@ in a URL
  { label: "credentials", pattern: /(?<=:\/\/)[^\s/"<>`]*(?=@)/gu },
  // a JSON Web Token, whole or without its signature, also at the end of a longer name
  {
    label: "token",
    pattern: /(?<![\w-])(?=[\w-]+\.[\w-])([\w-]*?)\beyJ[\w-]{4,}\.[\w-]+\.?[\w-]*/gu
  },
  { label: "token", pattern: /\b((?:Bearer|Basic)\s+)[\w~+/.=-]{8,}/giu },
  { label: "token", pattern: /\b((?:Bearer|Basic)\s+)[\w~+/.=-]+/giu, only: "log" },
  { label: "hash", pattern: /\$argon2[a-z]*\$[^\s"']*/gu },
  // keys of OpenAI, Anthropic, Stripe, GitHub, GitLab, Slack, AWS, Google, Hugging Face
  {
    label: "key",
    pattern:
      /\b(?:(?:sk|pk|rk)[-_][\w-]{8,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_\w{20,})/gu
  },
  // password=…, "secret": "…" and the like; a quoted value ends at its quote, or with the text
  {
    label: "secret",
    pattern:
      /((?:password|passwd|passphrase|secret|token|api[_-]?key|authorization|credential)s?(?:\\{0,8}["'])?\s*[:=]\s*)(?:"[^"\\]*(?:\\[^][^"\\]*)*(?:"|\\?$)|'[^'\\]*(?:\\[^][^'\\]*)*(?:'|\\?$)|\\{1,8}"[^"]*(?:"|$)|[^\s,;&"'}]+)/giu
  },
  {
    label: "secret",
    pattern:
      /(\b(?:password|passwd|passphrase|secret|token|api[_-]?key|credential)s?\s+is\s+)(?:"[^"]*"|'[^']*'|[^\s,;&"'}]+)/giu,
    only: "content"
  },
  // the key of a violated constraint, as PostgreSQL quotes it: Key (tenant_id, email)=(…, …) already exists.
  {
    label: "row",
    pattern:
      /(?<=\)=\()(?:(?:(?!\)=\()[^])*?(?=\) (?:already exists|conflicts with|is not present|is still referenced)\b)|[^\n]*)/gu,
    only: "log"
  },
  // what a schema or PostgreSQL got instead of what it expected
  { label: "value", pattern: /(, (?:got|actual) )(?:"[^"]*)?[^\n]*/gu, only: "log" },
  {
    label: "value",
    pattern: /(invalid input (?:syntax|value) for [^:\n]{0,100}: )(?:"[^"]*)?[^\n]*/gu,
    only: "log"
  },
  {
    label: "email",
    pattern: /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu,
    only: "content"
  },
  {
    label: "number",
    pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/gu,
    only: "content"
  },
  // Nine digits or more, however they are grouped: telephones, cards, accounts, social security.
  {
    label: "number",
    pattern: /(?<![\p{L}\p{N}])\+?\(?\d(?:[ ().\-/]{0,2}\d){8,}(?![\p{L}\p{N}])/gu,
    only: "content"
  }
]

/** UTF-16 units of a text that one step looks at, and how far it looks beyond them for the end of what began in them. */
const WINDOW = 32_768
const AHEAD = 8192
/** How far a pattern may look behind its beginning. */
const BEHIND = 32

/** The text without what is secret, in steps that take at most some milliseconds each. */
function* steps(purpose: Purpose, text: string): Generator<undefined, string> {
  let safe = text
  for (const rule of RULES) {
    if (rule.only === undefined || rule.only === purpose) safe = yield* replaced(rule, markOf(purpose, rule), safe)
  }
  return safe
}

const markOf = (purpose: Purpose, { label }: RedactionRule) => (purpose === "log" ? "***" : `[${label}]`)

function* replaced({ pattern: shared }: RedactionRule, mark: string, text: string): Generator<undefined, string> {
  const pattern = new RegExp(shared)
  let safe = ""
  /** Up to where the text is done, and how much of it one window shows. */
  let done = 0
  let size = WINDOW + AHEAD
  while (done < text.length) {
    yield
    const from = Math.max(0, done - BEHIND)
    const end = Math.min(text.length, done + size)
    const window = text.slice(from, end)
    const last = end === text.length ? end : done + size - AHEAD
    let place = done
    let open = false
    pattern.lastIndex = done - from
    for (let match = pattern.exec(window); match !== null && !open; match = pattern.exec(window)) {
      const start = from + match.index
      const stop = start + match[0].length
      if (start >= last) break
      // What reaches the window's end may go on behind it: it is looked at again, from its beginning, in a larger one.
      open = stop === end && end < text.length
      safe += text.slice(place, start)
      place = open ? start : stop
      if (!open) safe += (match[1] ?? "") + mark
      if (match[0] === "") pattern.lastIndex++
    }
    size = open ? size * 2 : WINDOW + AHEAD
    const next = open ? place : Math.max(place, last)
    safe += text.slice(place, next)
    done = next
  }
  return safe
}

/** The text as it may be shown. For short ones: it takes some 50 ns for a character, at once. */
export const redact = (purpose: Purpose, text: string): string => {
  const work = steps(purpose, text)
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value
}

/** The same for texts of any length: others have their turn in between. */
export const redactLong = (purpose: Purpose, text: string): Effect.Effect<string> =>
  Effect.suspend(() => {
    const work = steps(purpose, text)
    const go: Effect.Effect<string> = Effect.suspend(() => {
      const step = work.next()
      return step.done === true ? Effect.succeed(step.value) : Effect.flatMap(Effect.yieldNow, () => go)
    })
    return go
  })
