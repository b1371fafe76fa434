import { Redacted } from "effect"
import * as http from "node:http"
import * as https from "node:https"

/** Connections that are kept for the next question. */
export interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
}

/** The forward proxies of the machine's surroundings, by the scheme of what is asked; their URLs may hold a login. */
export interface Proxies {
  readonly http: Redacted.Redacted | undefined
  readonly https: Redacted.Redacted | undefined
  /** What is asked directly, as `NO_PROXY` has it. */
  readonly none: string | undefined
}

/**
 * Connections to the provider at `baseUrl`: through a proxy where one is set, by CONNECT for https. What is on this machine is asked
 * directly. A connection nobody uses is closed after half a minute. One that the provider closed first costs a second try, see `ProviderRequest`.
 */
export const makeAgents = (baseUrl: string, proxies: Proxies | undefined): Agents => {
  const direct = proxies === undefined || isHere(new URL(baseUrl).hostname)
  const options = { keepAlive: true, timeout: 30_000, ...(direct ? {} : { proxyEnv: environmentOf(proxies) }) }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}

const environmentOf = ({ http, https, none }: Proxies) => ({
  ...(http === undefined ? {} : { HTTP_PROXY: Redacted.value(http) }),
  ...(https === undefined ? {} : { HTTPS_PROXY: Redacted.value(https) }),
  ...(none === undefined ? {} : { NO_PROXY: none })
})

/** Names and addresses of this machine: 127.0.0.0/8, ::1, `localhost` and what is below it (RFC 6761 §6.3). */
const isHere = (hostname: string): boolean => /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu.test(hostname)
