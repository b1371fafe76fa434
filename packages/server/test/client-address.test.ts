import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { canonical, clientAddress, countedAs, isNetwork, trust } from "../src/http/ClientAddress.ts"

const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const word = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const ipv4 = Arbitrary.map(Arbitrary.schema(Schema.Tuple([byte, byte, byte, byte])), (bytes) => bytes.join("."))
const ipv6 = Arbitrary.map(Arbitrary.schema(Schema.Tuple([word, word, word, word, word, word, word, word])), (words) =>
  words.map((each) => each.toString(16)).join(":")
)
const proxies = trust(["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"])

describe("a client's address", () => {
  it.effect.prop(
    "is the peer's where the peer is no trusted proxy, whatever the header says",
    [ipv4, Schema.String],
    ([peer, header]) =>
      Effect.sync(() => {
        const outside = peer.startsWith("10.") || peer === "192.0.2.7" ? "203.0.113.1" : peer
        assert.strictEqual(clientAddress(outside, header, proxies), outside)
        assert.strictEqual(clientAddress(peer, header, trust([])), peer)
      })
  )

  it.effect.prop(
    "is what the trusted proxy saw, whatever the client put before it",
    [ipv4, Schema.String],
    ([client, forged]) =>
      Effect.sync(() => {
        const outside = client.startsWith("10.") || client === "192.0.2.7" ? "203.0.113.1" : client
        assert.strictEqual(clientAddress("10.1.2.3", `${forged}, ${outside}`, proxies), outside)
        assert.strictEqual(clientAddress("::ffff:10.1.2.3", `${forged},${outside}:4711, 192.0.2.7`, proxies), outside)
      })
  )

  it.effect.prop("of IPv6 is one however it is written", [ipv6], ([text]) =>
    Effect.sync(() => {
      const short = canonical(text)
      assert.isDefined(short)
      assert.strictEqual(canonical(text.toUpperCase()), short)
      assert.strictEqual(canonical(`${short}%eth0`), short)
      assert.strictEqual(canonical(short ?? ""), short)
    })
  )

  it.effect.prop("of IPv6 counts for its /64 and its /48, and for no other", [ipv6, ipv6], ([one, other]) =>
    Effect.sync(() => {
      const groups = one.split(":")
      const neighbour = [...groups.slice(0, 4), ...other.split(":").slice(4)].join(":")
      const stranger = [
        ...groups.slice(0, 3),
        ((parseInt(groups[3] ?? "", 16) + 1) % 65_536).toString(16),
        ...groups.slice(4)
      ].join(":")
      const counted = (text: string) => countedAs(canonical(text) ?? "")
      // ::ffff:0:0/96 is IPv4, and counts as such.
      if (groups.slice(0, 5).every((group) => group === "0")) return
      assert.deepStrictEqual(counted(neighbour), counted(one))
      assert.notStrictEqual(counted(stranger)[0], counted(one)[0])
      assert.strictEqual(counted(stranger)[1], counted(one)[1])
    })
  )

  it("of the forms proxies write is read", () => {
    const seen = (header: string | undefined) => clientAddress("10.0.0.1", header, proxies)
    assert.strictEqual(seen("203.0.113.9"), "203.0.113.9")
    assert.strictEqual(seen("[2001:db8:2::1]:443"), "2001:db8:2::1")
    assert.strictEqual(seen("::ffff:203.0.113.9"), "203.0.113.9")
    assert.strictEqual(seen("1.1.1.1, 2001:db8:1::5"), "1.1.1.1")
    // The farthest proxy where all of them are ours, and the last one known where an entry is no address.
    assert.strictEqual(seen("10.0.0.3, 10.0.0.2"), "10.0.0.3")
    assert.strictEqual(seen("1.1.1.1, unknown, 10.0.0.2"), "10.0.0.2")
    assert.strictEqual(seen(undefined), "10.0.0.1")
    assert.strictEqual(seen(""), "10.0.0.1")
    assert.strictEqual(clientAddress("unknown", "1.1.1.1", proxies), "unknown")
  })

  it("counts for itself in IPv4; short IPv6 forms are spelled out", () => {
    assert.deepStrictEqual(countedAs("203.0.113.9"), ["203.0.113.9", undefined])
    assert.deepStrictEqual(countedAs("2001:db8::1"), ["2001:db8:0:0::/64", "2001:db8:0::/48"])
    assert.deepStrictEqual(countedAs("::1"), ["0:0:0:0::/64", "0:0:0::/48"])
  })

  it("of a trusted proxy is an address or a network", () => {
    for (const good of ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"])
      assert.isTrue(isNetwork(good), good)
    for (const bad of [
      "",
      "localhost",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "fe80::1%eth0",
      "10.0.0"
    ]) {
      assert.isFalse(isNetwork(bad), bad)
    }
  })
})
