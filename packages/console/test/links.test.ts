import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { offeredLink } from "../src/chat/links.ts"

const schemes = [
  "javascript",
  "data",
  "vbscript",
  "file",
  "blob",
  "http",
  "https",
  "mailto",
  "JaVaScRiPt",
  "view-source"
]
const address = fc.oneof(
  fc.string(),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc
    .tuple(
      fc.constantFrom("", " ", "\t", "\u0000", "\u0001"),
      fc.constantFrom(...schemes),
      fc.constantFrom(":", ":/", "://", "\t:", ":\\\\"),
      fc.string()
    )
    .map((parts) => parts.join("")),
  fc.tuple(fc.webUrl(), fc.string()).map(([url, name]) => url.replace("://", `://${name}@`))
)

it("a link is offered only to the web and to mails, and says its true host", () => {
  fc.assert(
    fc.property(address, (text) => {
      const link = offeredLink(text)
      if (link === undefined) return
      const url = new URL(link.href)
      assert.include(["http:", "https:", "mailto:"], url.protocol)
      assert.deepStrictEqual([url.username, url.password], ["", ""])
      assert.strictEqual(link.host, url.protocol === "mailto:" ? url.pathname : url.host)
      // What is offered is what the address means to a browser, also on a page of ours.
      assert.strictEqual(new URL(text, "http://console.example/console/").href, link.href)
      assert.notStrictEqual(link.host, "")
    }),
    { numRuns: 2000 }
  )
})

it("links that mislead or lead into the console stay text", () => {
  for (const text of [
    undefined,
    "",
    "/console/account",
    "//evil.example/x",
    "#here",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "blob:https://x.example/1",
    "https://bank.example@evil.example",
    "mailto:"
  ])
    assert.isUndefined(offeredLink(text), text)
  assert.deepStrictEqual(offeredLink("https://fine.example/a?b#c"), {
    href: "https://fine.example/a?b#c",
    host: "fine.example"
  })
  // The host as it is looked up, whatever letters it imitates.
  assert.strictEqual(offeredLink("https://аpple.com/")?.host, "xn--pple-43d.com")
})
