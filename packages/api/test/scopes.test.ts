import { assert, describe, it } from "@effect/vitest"
import { SCOPES } from "@llm-saas/domain/Scope"
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { Access } from "../src/Access.ts"
import { Api } from "../src/Api.ts"
import { Rpcs } from "../src/Rpcs.ts"
import { isRuled, ruled, ruleOf } from "../src/Scopes.ts"

const operations = new Map<string, string | undefined>()
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, group, mergedAnnotations }) => {
    operations.set(`${group.identifier}.${endpoint.identifier}`, Context.getOrUndefined(mergedAnnotations, Access))
  }
})
for (const { _tag, annotations } of Rpcs.requests.values())
  operations.set(_tag, Context.getOrUndefined(annotations, Access))

const closed = [...operations].filter(([, access]) => access !== "public" && access !== "operator")

/** An admin's, and no key's: who may choose who logs in, or with what, takes over every account. */
const OWN_LOGIN = ["sso.put", "sso.remove", "sso.proveDomain", "factors.removeOf", "loginPolicy.put"]

describe("the table of scopes", () => {
  it("has a line for every endpoint and every call that asks for a token, and no other", () => {
    assert.isAtLeast(closed.length, 30)
    assert.deepStrictEqual(
      closed.filter(([name]) => !isRuled(name)).map(([name]) => name),
      [],
      "operations without a line in packages/api/src/Scopes.ts: no key may do them"
    )
    assert.deepStrictEqual(
      ruled.filter((name) => ["public", "operator"].includes(operations.get(name) ?? "public")),
      [],
      "lines of operations that do not exist, or that everybody may"
    )
  })

  it("lets no key do what it does not name", () => {
    for (const name of ["", "messages", "messages.ask2", "Messages.ask", "constructor", "__proto__", "toString"])
      assert.strictEqual(ruleOf(name), "login", name)
  })

  it("asks for the scope `admin`, and only for it, wherever an admin is asked for", () => {
    for (const [name, access] of closed) {
      const rule = ruleOf(name)
      if (OWN_LOGIN.includes(name)) {
        assert.strictEqual(rule, "login", name)
        continue
      }
      assert.strictEqual(Array.isArray(rule) && rule.includes("admin"), access === "admin", name)
      if (access === "admin") assert.deepStrictEqual(rule, ["admin"], name)
    }
  })

  it("names scopes that exist", () => {
    const named = ruled.flatMap((name) => {
      const rule = ruleOf(name)
      return typeof rule === "string" ? [] : rule
    })
    assert.includeMembers([...SCOPES], named)
  })
})
