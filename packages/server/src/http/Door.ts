import type { RouteTable } from "./RouteTable.ts"

/** In whose form an address answers, its errors too: in our own, or in that of the API whose clients it serves. */
export type Door = "native" | "openai" | "anthropic"

/** What of a request says which door it is at. */
export interface Knock {
  readonly url?: string | undefined
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>> | undefined
}

const MODELS = /^\/v1\/models(?:\/|$)/u
const MESSAGES = /^\/v1\/messages(?:\/|$)/u

/**
 * The door of a request, whether or not it has a route. `/v1/key` is our own. Clients of Anthropic's API name its version in a header, by
 * which they get `/v1/models` in its form.
 */
export const doorOf = ({ headers, url = "" }: Knock, routes: RouteTable): Door => {
  // Nearly every other target is known by one comparison. A percent may stand for a letter.
  if (!url.startsWith("/v1") && !url.includes("%")) return "native"
  const path = routes.find(url)?.path ?? url.split("?", 1)[0] ?? ""
  if (path === "/v1/key" || !(path === "/v1" || path.startsWith("/v1/"))) return "native"
  return MESSAGES.test(path) || (MODELS.test(path) && headers?.["anthropic-version"] !== undefined)
    ? "anthropic"
    : "openai"
}
