/**
 * Sent with every answer, as names and values in turn. Answers are data: no page may frame them, guess their type, or learn from which
 * page a link was followed. The content security policy is not here: `/docs` has its own.
 */
export const securityHeaders = (production: boolean): ReadonlyArray<string> => [
  "x-content-type-options",
  "nosniff",
  "referrer-policy",
  "no-referrer",
  "cross-origin-opener-policy",
  "same-origin",
  "cross-origin-resource-policy",
  "same-origin",
  ...(production ? ["strict-transport-security", "max-age=31536000"] : [])
]
