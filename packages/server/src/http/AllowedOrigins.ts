import type { HttpOptions } from "./HttpOptions.ts"

/** `http` or `https` on this machine, at any port: the origin of a page served there (RFC 6454 §7). */
const LOCAL = /^https?:\/\/(?:(?:[a-z\d-]+\.)?localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/u

/** Whether a page of this origin may read our answers (CORS); undefined if no page may. */
export const allowedOrigins = ({
  allowedOrigins,
  allowLocalOrigins
}: Pick<HttpOptions["Service"], "allowedOrigins" | "allowLocalOrigins">): ((origin: string) => boolean) | undefined => {
  if (allowedOrigins.length === 0 && !allowLocalOrigins) return undefined
  const listed = new Set(allowedOrigins)
  return (origin) => listed.has(origin) || (allowLocalOrigins && LOCAL.test(origin))
}
