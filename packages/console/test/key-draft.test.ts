import { assert, describe, it } from "@effect/vitest"
import type { ApiKey } from "@llm-saas/client"
import { changeOf, createOf, draftOf, NEW_KEY } from "../src/pages/keys/keyDraft.ts"

const KEY: ApiKey = {
  id: "01975a6b-0000-7000-8000-000000000001",
  tenant_id: "01975a6b-0000-7000-8000-000000000002",
  owner: { kind: "user", id: "01975a6b-0000-7000-8000-000000000003" },
  name: "support bot",
  begins_with: "sk-0123",
  scopes: ["messages:read", "chat"],
  models: ["fast", "slow"],
  metadata: { team: "support", "a.b": "x = y" },
  status: "active",
  created_at: "2026-11-30T00:00:00.000Z",
  expires_at: "2027-01-31T12:34:56.789Z",
  disabled_at: null,
  rotated_at: null,
  previous_until: null,
  last_used_at: null,
  limits: { requests_per_minute: 60, tokens_per_minute: null, concurrent: null },
  budget: { amount: "20.00", period: "month", alert_at: [50, 80, 100] }
}

describe("a key as it is typed", () => {
  it("a form that was opened and left as it is changes nothing, not even the seconds of the key's end", () => {
    assert.deepStrictEqual(changeOf(KEY, draftOf(KEY)), {})
  })

  it("only what was changed is sent: who may not change a key's limits can rename it", () => {
    assert.deepStrictEqual(changeOf(KEY, { ...draftOf(KEY), name: " new name " }), { name: "new name" })
  })

  it("scopes in another order are the same ones", () => {
    assert.deepStrictEqual(changeOf(KEY, { ...draftOf(KEY), scopes: ["chat", "messages:read"] }), {})
  })

  it("emptied fields lift what they said", () => {
    const emptied = { ...draftOf(KEY), models: "\n", expires: "", notes: "", allowance: NEW_KEY.allowance }
    assert.deepStrictEqual(changeOf(KEY, emptied), {
      models: null,
      expires_at: null,
      metadata: {},
      limits: { requests_per_minute: null },
      budget: null
    })
  })

  it("what was not typed is not in the request that makes a key", () => {
    assert.deepStrictEqual(createOf({ ...NEW_KEY, name: "bot" }), { name: "bot", scopes: ["chat"] })
  })

  it("a note's text may have an equals sign", () => {
    const { metadata } = createOf({ ...NEW_KEY, name: "bot", notes: " query = a=b \n\n empty =" })
    assert.deepStrictEqual(metadata, { query: "a=b", empty: "" })
  })
})
