import { assert, describe, it } from "@effect/vitest"
import { urlOf } from "../src/process/Banner.ts"

describe("the first screen", () => {
  it("has an address that a browser opens, of IPv6 too", () => {
    assert.strictEqual(urlOf("::1", 8845), "http://[::1]:8845")
    assert.strictEqual(urlOf("2001:db8::7", 80), "http://[2001:db8::7]:80")
    assert.strictEqual(urlOf("fe80::1%eth0", 8000), "http://[fe80::1%25eth0]:8000")
    for (const host of ["127.0.0.1", "0.0.0.0", "::"]) assert.strictEqual(urlOf(host, 8000), "http://localhost:8000")
    assert.strictEqual(urlOf("api.example.com", 8000), "http://api.example.com:8000")
    for (const host of ["::1", "127.0.0.1", "example.com", "::ffff:10.0.0.1"])
      assert.isTrue(URL.canParse(urlOf(host, 1)))
  })
})
