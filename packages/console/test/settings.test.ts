import { assert, describe, it } from "@effect/vitest"
import type { SsoConnection } from "@llm-saas/client"
import { erases } from "../src/pages/settings/retention.ts"
import { choiceOf, draftOf, endsSessions, losesSecret } from "../src/pages/settings/ssoDraft.ts"

describe("what is kept", () => {
  it("longer, or all, removes nothing; shorter, or nothing, says what it removes", () => {
    const days = (count: number) => ({ content: "days", days: count }) as const
    assert.isUndefined(erases({ content: "none" }, { content: "full" }))
    assert.isUndefined(erases(days(30), { content: "full" }))
    assert.isUndefined(erases(days(30), days(31)))
    assert.isUndefined(erases({ content: "none" }, { content: "none" }))
    assert.include(erases(days(30), days(29)) ?? "", "older than 29 days")
    assert.include(erases({ content: "full" }, days(1)) ?? "", "older than a day")
    // What is stored was kept until now by another rule.
    assert.include(erases({ content: "none" }, days(365)) ?? "", "stored now too")
    assert.include(erases({ content: "full" }, { content: "none" }) ?? "", "from now on")
  })
})

const CONNECTION: SsoConnection = {
  tenant_id: "01975a6b-0000-7000-8000-000000000002",
  slug: "acme",
  issuer: "https://login.acme.com",
  client_id: "llm-saas",
  trust_email: false,
  jit: false,
  role_claim: "groups",
  admin_values: ["a", "b"],
  required: true,
  enabled: true,
  has_secret: true,
  domains: [{ domain: "acme.com", routed: true, record: { name: "_x.acme.com", type: "TXT", value: "v" } }],
  status: "active",
  login_url: "https://llm.example/login/acme",
  redirect_uri: "https://llm.example/sso/callback",
  created_at: "2026-11-30T00:00:00.000Z",
  updated_at: "2026-11-30T00:00:00.000Z"
}

describe("single sign-on as it is typed", () => {
  it("what was left alone is sent as it is: the server would give it its default", () => {
    assert.deepStrictEqual(choiceOf(draftOf(CONNECTION)), {
      slug: "acme",
      issuer: "https://login.acme.com",
      client_id: "llm-saas",
      domains: ["acme.com"],
      trust_email: false,
      jit: false,
      role_claim: "groups",
      admin_values: ["a", "b"],
      required: true,
      enabled: true
    })
  })

  it("a secret is sent only where one was typed, and taken away only where that was chosen", () => {
    const draft = draftOf(CONNECTION)
    assert.notProperty(choiceOf(draft), "client_secret")
    assert.strictEqual(choiceOf({ ...draft, keeping: "new", secret: " s " }).client_secret, " s ")
    assert.isNull(choiceOf({ ...draft, keeping: "none" }).client_secret)
  })

  it("the stored secret goes to no other issuer or client", () => {
    const draft = draftOf(CONNECTION)
    assert.isFalse(losesSecret(CONNECTION, { ...draft, slug: "other" }))
    assert.isTrue(losesSecret(CONNECTION, { ...draft, issuer: "https://login.acme.com/" }))
    assert.isTrue(losesSecret(CONNECTION, { ...draft, client_id: "other" }))
    assert.isFalse(losesSecret(CONNECTION, { ...draft, client_id: "other", keeping: "new", secret: "s" }))
  })

  it("warns when it becomes the only way in, and not where it is already", () => {
    const draft = draftOf(CONNECTION)
    assert.isFalse(endsSessions(CONNECTION, draft))
    assert.isTrue(endsSessions({ ...CONNECTION, required: false }, draft))
    assert.isTrue(endsSessions({ ...CONNECTION, enabled: false }, draft))
    assert.isTrue(endsSessions(null, draft))
    assert.isFalse(endsSessions(null, { ...draft, enabled: false }))
  })

  it("addresses and capitals are taken for the domains that they mean, each once", () => {
    const draft = { ...draftOf(CONNECTION), domains: "@Acme.com\nbob@acme.com\n\n eu.acme.com " }
    assert.deepStrictEqual(choiceOf(draft).domains, ["acme.com", "eu.acme.com"])
  })
})
