import { BlockList, isIP } from "node:net"

const family = (address: string) => (isIP(address) === 6 ? ("ipv6" as const) : ("ipv4" as const))

/** Whether the text is an address, or a network in CIDR notation. */
export const isNetwork = (text: string): boolean => {
  const [address = "", prefix, ...rest] = text.split("/")
  const version = isIP(address)
  if (version === 0 || address.includes("%") || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/u.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32))
}

/** Proxies whose X-Forwarded-For is believed. Entries that {@link isNetwork} refuses are left out. */
export const trust = (networks: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const network of networks.filter(isNetwork)) {
    const [address = "", prefix] = network.split("/")
    if (prefix === undefined) list.addAddress(address, family(address))
    else list.addSubnet(address, Number(prefix), family(address))
  }
  return list
}

/** An address in the form we compare: IPv6 in its short form (RFC 5952) without zone, an IPv4-mapped address as IPv4. */
export const canonical = (text: string): string | undefined => {
  const bare = text.replace(/%[^]*$/u, "")
  if (isIP(bare) === 4) return bare
  if (isIP(bare) !== 6) return undefined
  const short = URL.parse(`http://[${bare}]/`)?.hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/u.exec(short ?? "")
  if (mapped === null) return short
  const [high, low] = [parseInt(mapped[1] ?? "", 16), parseInt(mapped[2] ?? "", 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join(".")
}

/** The address of an X-Forwarded-For entry, which may have a port. */
const entry = (text: string): string | undefined => {
  const trimmed = text.trim()
  return canonical(/^\[(.*)\](?::\d+)?$/u.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/u.exec(trimmed)?.[1] ?? trimmed)
}

/**
 * The client's address: the TCP peer, unless it is a trusted proxy; then the last address of X-Forwarded-For that is not one. Each proxy
 * appends the peer it saw; entries further left may be invented by the client. An entry that is no address ends the search: the proxy
 * that passed it on is the last one known.
 */
export const clientAddress = (peer: string, forwardedFor: string | undefined, trusted: BlockList): string => {
  let address = canonical(peer)
  if (address === undefined) return peer
  const hops = forwardedFor?.split(",") ?? []
  while (trusted.check(address, family(address))) {
    const hop = entry(hops.pop() ?? "")
    if (hop === undefined) break
    address = hop
  }
  return address
}

/**
 * The networks an address counts for, narrowest first: an IPv4 address for itself; an IPv6 address for its /64, the least a customer has
 * (RFC 6177), and for its /48, the most a customer may have.
 */
export const countedAs = (address: string): readonly [narrow: string, wide: string | undefined] => {
  if (isIP(address) !== 6) return [address, undefined]
  const [head = "", tail] = address.split("::")
  const left = head.split(":").filter((group) => group !== "")
  const right = tail?.split(":").filter((group) => group !== "") ?? []
  const groups =
    tail === undefined ? left : [...left, ...new Array<string>(8 - left.length - right.length).fill("0"), ...right]
  return [`${groups.slice(0, 4).join(":")}::/64`, `${groups.slice(0, 3).join(":")}::/48`]
}
