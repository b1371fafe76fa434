import { BlockList, isIP } from "node:net"

/**
 * Networks in which nothing is asked for a tenant, whose admin chose the name: this machine, private ones, those of link and of carriers,
 * where clouds give out credentials, and what translates into them (IANA's special-purpose registries, RFC 6890).
 */
const V4: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
]
/** All of IPv6 that is not global unicast, and of that what is set apart or holds an IPv4 address: 6to4, Teredo, documentation. */
const V6: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20]
]

const closed = new BlockList()
for (const [network, bits] of V4) closed.addSubnet(network, bits, "ipv4")
for (const [network, bits] of V6) closed.addSubnet(network, bits, "ipv6")

/** Whether this is an address (in text, an IPv6 one without brackets) that anybody on the internet can reach. */
export const isPublic = (address: string): boolean => {
  const family = isIP(address)
  return family !== 0 && !closed.check(address, family === 4 ? "ipv4" : "ipv6")
}
