/**
 * What of questions, answers and comments MLflow is told: everything; everything but what looks like a secret or somebody's number or
 * address; nothing.
 */
export type ContentPolicy = "full" | "redacted" | "off"

const SENSITIVE: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gu, "[private key]"],
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]{0,200}:[^\s/@]{1,200}@/giu, "$1[credentials]@"],
  [/\beyJ[\w-]{4,}\.[\w-]+\.?[\w-]*/gu, "[token]"],
  [/\b(Bearer|Basic)\s+[\w~+/.=-]{8,}/giu, "$1 [token]"],
  // keys of OpenAI, Anthropic, Stripe, GitHub, GitLab, Slack, AWS, Google, Hugging Face
  [
    /\b(?:(?:sk|pk|rk)[-_][\w-]{8,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_\w{20,})/gu,
    "[key]"
  ],
  [
    /((?:password|passwd|passphrase|secret|token|api[_-]?key|authorization|credential)s?["']?\s*(?:[:=]|\bis\b)\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"'}]+)/giu,
    "$1[secret]"
  ],
  [/[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu, "[email]"],
  [/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/gu, "[number]"],
  // Nine digits or more, however they are grouped: telephones, cards, accounts, social security.
  [/(?<![\p{L}\p{N}])\+?\(?\d(?:[ ().\-/]{0,2}\d){8,}(?![\p{L}\p{N}])/gu, "[number]"]
]

/** A text as the policy lets it through; null: not at all. */
export const filter = (policy: ContentPolicy, text: string | null): string | null => {
  if (policy === "off" || text === null) return null
  if (policy === "full") return text
  let safe = text
  for (const [pattern, replacement] of SENSITIVE) safe = safe.replace(pattern, replacement)
  return safe
}
