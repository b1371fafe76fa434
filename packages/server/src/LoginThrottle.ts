import { InvalidCredentials, TooManyRequests } from "@llm-saas/domain/Refusal"
import { Clock, Context, Effect, Layer, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { BlockList, isIP } from "node:net"
import { Settings } from "./Settings.ts"

/** Failures allowed in {@link WINDOW}: for one account from one address, and for one address in all. */
const PER_ACCOUNT = 5
const PER_ADDRESS = 50
/** Milliseconds. */
const WINDOW = 60_000
/** Counters kept at most; the oldest goes first. */
const COUNTERS = 100_000

/**
 * Slows down guessing. Only failures count, by account and address together: a stranger who fails on purpose locks out their own
 * address, never the account's owner, who comes from another one.
 */
export class LoginThrottle extends Context.Service<
  LoginThrottle,
  {
    /** Refuses without running `login` when there were too many failures lately; counts it when it fails. */
    readonly guard: (attempt: {
      readonly account: string
      readonly request: HttpServerRequest.HttpServerRequest
    }) => <A, E, R>(login: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TooManyRequests, R>
  }
>()("@llm-saas/server/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.gen(function* () {
      const { TRUSTED_PROXIES } = yield* Settings
      const proxies = trusted(TRUSTED_PROXIES ?? [])
      const counters = new Map<string, { failures: number; readonly until: number }>()

      const wait = (key: string, limit: number, now: number) => {
        const counter = counters.get(key)
        return counter !== undefined && counter.until > now && counter.failures >= limit ? counter.until - now : 0
      }
      const count = (key: string, now: number) => {
        const counter = counters.get(key)
        if (counter !== undefined && counter.until > now) {
          counter.failures++
          return
        }
        counters.delete(key)
        const oldest = counters.size < COUNTERS ? undefined : counters.keys().next().value
        if (oldest !== undefined) counters.delete(oldest)
        counters.set(key, { failures: 1, until: now + WINDOW })
      }

      return LoginThrottle.of({
        guard:
          ({ account, request }) =>
          (login) =>
            Effect.gen(function* () {
              const now = yield* Clock.currentTimeMillis
              const address = network(clientAddress(request, proxies))
              const pair = `${account.trim().normalize("NFC").toLowerCase().slice(0, 300)} ${address}`
              const left = Math.max(wait(pair, PER_ACCOUNT, now), wait(address, PER_ADDRESS, now))
              if (left > 0) return yield* new TooManyRequests({ retry_after: Math.ceil(left / 1000) })
              // Counted before the answer is known, so that many guesses at once are not all let through.
              count(pair, now)
              return yield* Effect.onExit(login, (exit) =>
                Effect.sync(() => {
                  if (exit._tag === "Success") counters.delete(pair)
                  else if (
                    exit.cause.reasons.some(
                      (reason) => reason._tag === "Fail" && reason.error instanceof InvalidCredentials
                    )
                  )
                    count(address, now)
                })
              )
            })
      })
    })
  )
}

const trusted = (proxies: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = "", prefix] = proxy.split("/")
    const family = isIP(address) === 6 ? "ipv6" : "ipv4"
    if (isIP(address) === 0) continue
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** Who is at the other end: the TCP peer, or, where the peer is a trusted proxy, the last address it does not vouch for. */
const clientAddress = (request: HttpServerRequest.HttpServerRequest, proxies: BlockList): string => {
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4")
  let address = plain(Option.getOrElse(request.remoteAddress, () => "unknown"))
  const hops = (request.headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((hop) => plain(hop.trim()))
    .filter((hop) => isIP(hop) !== 0)
  while (isTrusted(address)) {
    const hop = hops.pop()
    if (hop === undefined) break
    address = hop
  }
  return address
}

const plain = (address: string) => (address.startsWith("::ffff:") ? address.slice(7) : address)

/** One client of IPv6 has a /64 of addresses. */
const network = (address: string) => (isIP(address) === 6 ? address.split(":").slice(0, 4).join(":") : address)
