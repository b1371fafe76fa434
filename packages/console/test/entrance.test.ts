import { assert, describe, it } from "@effect/vitest"
import { LlmSaasError } from "@llm-saas/client"
import * as fc from "fast-check"
import { tokenIn } from "../src/pages/invitation/invited.ts"
import { read } from "../src/pages/setup/progress.ts"
import { challengeIn, challengeOf } from "../src/session/Challenge.ts"
import { destinationOf } from "../src/session/Destination.ts"

const PLACE = new URL("https://llm.acme.test/console/")

/** Texts that are made to lead elsewhere. */
const tricks = fc
  .array(
    fc.constantFrom(
      "/",
      "\\",
      "//evil.test",
      "..",
      "%2e%2e",
      "@evil.test",
      "https:",
      "javascript:",
      "\t",
      "\n",
      "?",
      "#",
      "a"
    )
  )
  .map((parts) => parts.join(""))

describe("after a login", () => {
  it("the console goes on at one of its own pages, whatever the address says", () => {
    fc.assert(
      fc.property(fc.oneof(tricks, fc.webUrl(), fc.string()), (to) => {
        const goal = new URL(`/console${destinationOf(to, PLACE)}`, PLACE)
        assert.strictEqual(goal.origin, PLACE.origin)
        assert.isTrue(goal.pathname.startsWith("/console/"), goal.href)
      }),
      { numRuns: 500 }
    )
  })

  it("a page of the console is found again with its search", () => {
    for (const path of ["/", "/chat/1?x=1#y", "/account/keys", "/setup"])
      assert.strictEqual(destinationOf(path, PLACE), path)
    for (const path of [
      undefined,
      "",
      "chat",
      "//evil.test",
      "/\\evil.test",
      "/../docs",
      "/login?to=/login",
      "https://evil.test/"
    ])
      assert.strictEqual(destinationOf(path, PLACE), "/")
  })
})

describe("a second step", () => {
  it("is found in the failure of the first, and in the fragment that single sign-on leaves", () => {
    const problem = {
      type: "/problems/second_factor_required",
      status: 401,
      title: "",
      detail: "",
      code: "second_factor_required",
      challenge: "lc_1",
      methods: ["totp", "passkey"],
      passkey: { challenge: "abc" }
    } as const
    const error = new LlmSaasError("", { code: problem.code, status: problem.status, problem })
    const found = { text: "lc_1", methods: ["totp", "passkey"], passkey: { challenge: "abc" } }
    assert.deepStrictEqual(challengeOf(error), found)
    const hash = new URLSearchParams({ challenge: "lc_1", methods: "totp,passkey", passkey: '{"challenge":"abc"}' })
    assert.deepStrictEqual(challengeIn(`#${hash.toString()}`), found)
    assert.deepStrictEqual(challengeIn("#challenge=lc_1&methods="), { text: "lc_1", methods: [] })
    assert.isUndefined(challengeOf(new Error("another")))
  })

  it("is in no other fragment", () => {
    for (const hash of ["", "#", "#content", "#challenge=", "#methods=totp"]) assert.isUndefined(challengeIn(hash))
    assert.deepStrictEqual(challengeIn("#challenge=lc_1&methods=totp&passkey={broken"), {
      text: "lc_1",
      methods: ["totp"]
    })
  })
})

it("an invitation is found in the fragment, and nothing else is taken for one", () => {
  assert.strictEqual(tokenIn("#token=ot_Ab1"), "ot_Ab1")
  assert.strictEqual(tokenIn("#ot_Ab1"), "ot_Ab1")
  for (const hash of ["", "#", "#token=", "#token=sk-1", "#token=ot_Ab1&x=1", "#challenge=ot_1"])
    assert.isUndefined(tokenIn(hash), hash)
})

it("what a first run kept is read as far as it is what this version keeps", () => {
  const kept = { step: "ask", name: "Acme", tenant: "t", email: "a@b.c" }
  assert.deepStrictEqual(read(kept), { step: "ask", name: "Acme", tenant: "t", email: "a@b.c" })
  assert.deepStrictEqual(read({ ...kept, tenant: 1, more: true }), { step: "ask", name: "Acme", email: "a@b.c" })
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const found = read(value)
      assert.isTrue(found === undefined || typeof found.name === "string")
    })
  )
  assert.isUndefined(read({ ...kept, step: "sixth" }))
})
