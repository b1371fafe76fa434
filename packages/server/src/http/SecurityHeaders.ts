/**
 * Sent with every answer, as names and values in turn. Answers are data: no page may frame them, guess their type, or learn where
 * a link to them was followed from. The content security policy is not here, because `/docs` has one of its own.
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
