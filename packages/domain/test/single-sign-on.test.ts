import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Issuer } from "../src/SingleSignOn.ts"

describe("an issuer", () => {
  const isIssuer = Schema.is(Issuer)

  it("is a URL of visible ASCII, with a port and a path", () => {
    for (const text of [
      "https://login.acme.com",
      "https://xn--mnchen-3ya.example/t/1",
      "http://127.0.0.1:9/a@b~c",
      "http://[::1]:8/x"
    ])
      assert.isTrue(isIssuer(text), text)
  })

  it("has nothing that the database refuses, or that one reader of URLs overlooks", () => {
    for (const end of ["\u0000", "\u0001", "\u007f", "\u00a0", "\u202e", " ", "\t", "\n"])
      for (const text of [`http://127.0.0.1:9${end}`, `http://127.0.0.1${end}:9/`, `http://127.0.0.1:9/${end}`])
        assert.isFalse(isIssuer(text), JSON.stringify(text))
    for (const text of [
      "https://münchen.example",
      "https://a@b.example",
      "https://a\\b.example",
      "https://a.example?b",
      "https://a.example#b",
      "https://"
    ])
      assert.isFalse(isIssuer(text), text)
  })
})
