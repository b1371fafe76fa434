import { type Door, doorOfPath } from "@llm-saas/api/v1/Door"
import type { RouteTable } from "./RouteTable.ts"

/** What of a request says which door it is at. */
export interface Knock {
  readonly url?: string | undefined
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>> | undefined
}

const MODELS = /^\/v1\/models(?:\/|$)/u

/**
 * The door of a request, whether or not it has a route. Clients of Anthropic's API name its version in a header, by which they get
 * `/v1/models` in its form.
 */
export const doorOf = ({ headers, url = "" }: Knock, routes: RouteTable): Door => {
  // Nearly every other target is known by one comparison. A percent may stand for a letter.
  if (!url.startsWith("/v1") && !url.includes("%")) return "native"
  const path = routes.find(url)?.path ?? url.split("?", 1)[0] ?? ""
  return MODELS.test(path) && headers?.["anthropic-version"] !== undefined ? "anthropic" : doorOfPath(path)
}
