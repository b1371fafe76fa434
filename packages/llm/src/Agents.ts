import { Redacted } from "effect"
import * as http from "node:http"
import * as https from "node:https"

/** Keep-alive connections to the provider. */
export interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
  /** Whether no proxy is between: one changes what is sent. */
  readonly direct: boolean
}

/** Forward proxies, by the scheme of the target; their URLs may hold a login. */
export interface Proxies {
  readonly http: Redacted.Redacted | undefined
  readonly https: Redacted.Redacted | undefined
  /** Hosts to connect to directly, in the format of `NO_PROXY`. */
  readonly none: string | undefined
}

/** Milliseconds after which an idle connection is closed. */
const IDLE_MS = 30_000

/**
 * Connections to the provider at `baseUrl`: through a proxy where one is set, by CONNECT for https; directly to this machine. If
 * the provider closed an idle one first, the request is sent a second time, see `ProviderRequest`.
 */
export const makeAgents = (baseUrl: string, proxies: Proxies | undefined): Agents => {
  const direct = proxies === undefined || isHere(new URL(baseUrl).hostname)
  const options = { keepAlive: true, timeout: IDLE_MS, ...(direct ? {} : { proxyEnv: environmentOf(proxies) }) }
  return { http: new http.Agent(options), https: new https.Agent(options), direct }
}

const environmentOf = ({ http, https, none }: Proxies) => ({
  ...(http === undefined ? {} : { HTTP_PROXY: Redacted.value(http) }),
  ...(https === undefined ? {} : { HTTPS_PROXY: Redacted.value(https) }),
  ...(none === undefined ? {} : { NO_PROXY: none })
})

/** Names and addresses of this machine: 127.0.0.0/8, ::1, `localhost` and its subdomains (RFC 6761 §6.3). */
const isHere = (hostname: string): boolean => /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/iu.test(hostname)
