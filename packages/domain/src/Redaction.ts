import { Effect } from "effect"

/**
 * Why a text is redacted. `log`: a log line, which must show no secret and quote no input. `content`: a question or an answer
 * sent to MLflow, without secrets and without personal data.
 */
export type Purpose = "log" | "content"

/** One kind of text to remove. The match of the pattern's first group stays; the rest is replaced by a mark. */
export interface RedactionRule {
  readonly label: string
  readonly pattern: RegExp
  /** The only purpose it applies to. Default: both. */
  readonly only?: Purpose
}

// Every pattern runs over text chosen by a tenant, up to a whole answer. So each must take linear time: a pattern begins where a run of
// its own characters begins (by a lookbehind) or at a literal that its own repetition cannot contain, and no two adjacent repetitions
// match the same character. `packages/testing/test/patterns.test.ts` tries each with adversarial texts.

/** All rules, in the order in which they are applied. */
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
  // of a link in a mail, or of a session
  { label: "token", pattern: /\b[or]t_[0-9A-Za-z]{49}(?![0-9A-Za-z])/gu },
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
  // the unexpected value in an error of a schema or of PostgreSQL
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

/** How much of a text one step searches, and how far it looks ahead for the end of a match that began in them. */
const WINDOW_CODE_UNITS = 32_768
const AHEAD_CODE_UNITS = 8192
/** How far a pattern may look behind its start. */
const BEHIND_CODE_UNITS = 32

/** The redacted text, in steps of at most a few milliseconds each. */
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
  /** End of the part that is done, and the size of a window. */
  let done = 0
  let size = WINDOW_CODE_UNITS + AHEAD_CODE_UNITS
  while (done < text.length) {
    yield
    const from = Math.max(0, done - BEHIND_CODE_UNITS)
    const end = Math.min(text.length, done + size)
    const window = text.slice(from, end)
    const last = end === text.length ? end : done + size - AHEAD_CODE_UNITS
    let place = done
    let open = false
    pattern.lastIndex = done - from
    for (let match = pattern.exec(window); match !== null && !open; match = pattern.exec(window)) {
      const start = from + match.index
      const stop = start + match[0].length
      if (start >= last) break
      // A match that reaches the window's end may continue behind it: search again from its start, in a larger window.
      open = stop === end && end < text.length
      safe += text.slice(place, start)
      place = open ? start : stop
      if (!open) safe += (match[1] ?? "") + mark
      if (match[0] === "") pattern.lastIndex++
    }
    size = open ? size * 2 : WINDOW_CODE_UNITS + AHEAD_CODE_UNITS
    const next = open ? place : Math.max(place, last)
    safe += text.slice(place, next)
    done = next
  }
  return safe
}

/** The redacted text. For short texts: it takes about 50 ns per character, without yielding. */
export const redact = (purpose: Purpose, text: string): string => {
  const work = steps(purpose, text)
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value
}

/** The same for texts of any length: it yields to other fibers between the steps. */
export const redactLong = (purpose: Purpose, text: string): Effect.Effect<string> =>
  Effect.suspend(() => {
    const work = steps(purpose, text)
    const go: Effect.Effect<string> = Effect.suspend(() => {
      const step = work.next()
      return step.done === true ? Effect.succeed(step.value) : Effect.flatMap(Effect.yieldNow, () => go)
    })
    return go
  })
