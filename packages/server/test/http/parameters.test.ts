import { Api } from "@llm-saas/api/Api"
import { doorOfPath } from "@llm-saas/api/v1/Door"
import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { unknownParameters } from "../../src/http/Parameters.ts"
import { makeRouteTable } from "../../src/http/RouteTable.ts"

const table = makeRouteTable(Api, [])
const METHODS = ["get", "post", "patch", "delete"] as const

/** Every endpoint, with the query parameters that the document gives it. */
const endpoints = Object.entries(OpenApi.fromApi(Api).paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method]
    const names = operation?.parameters.filter((each) => each.in === "query").map(({ name }) => name)
    return names === undefined
      ? []
      : [{ method: method.toUpperCase(), path: path.replaceAll(/\{[^}]+\}/gu, "x"), names }]
  })
)

const refused = (method: string, target: string) => {
  const known = table.find(target)?.parameters.get(method)
  return known === undefined ? undefined : unknownParameters(target, known)
}
const messageOf = (method: string, target: string) => refused(method, target)?.details?.errors?.[0]?.message

describe("query parameters", () => {
  it("are those of the document, at every endpoint of our own API", () => {
    assert.isAtLeast(endpoints.length, 30)
    for (const { method, names, path } of endpoints) {
      // Clients of other APIs send parameters that are known there, and identity providers some of their own.
      if (doorOfPath(path) !== "native" || path === "/sso/callback") {
        assert.isUndefined(refused(method, `${path}?x=1`), path)
        continue
      }
      assert.sameMembers([...(table.find(path)?.parameters.get(method) ?? ["none"])], names, `${method} ${path}`)
      assert.isUndefined(refused(method, path))
      if (names.length > 0) assert.isUndefined(refused(method, `${path}?${names.map((name) => `${name}=1`).join("&")}`))
      for (const query of ["x", "x=1", "=1", "limit%00=1", "Limit=1", ...names.map((name) => `${name}_=1`)])
        assert.strictEqual(refused(method, `${path}?${query}`)?.code, "unknown_parameter", `${method} ${path}?${query}`)
    }
  })

  it("that other APIs page by are answered with the name of ours", () => {
    const lists = endpoints.filter(({ names }) => names.includes("cursor"))
    assert.isAtLeast(lists.length, 4)
    for (const { path } of lists) {
      for (const alias of [
        "skip",
        "page",
        "offset",
        "after",
        "starting_after",
        "startingAfter",
        "pageToken",
        "next_cursor"
      ])
        assert.strictEqual(
          messageOf("GET", `${path}?${alias}=20`),
          "There is no such parameter: use cursor, with the next_cursor of the page before"
        )
      for (const alias of ["per_page", "page_size", "pageSize", "size", "count", "LIMIT"])
        assert.strictEqual(
          messageOf("GET", `${path}?${alias}=20`),
          "There is no such parameter: use limit, the rows of a page"
        )
    }
  })

  it("are corrected where only their spelling is wrong, and listed where nothing is like them", () => {
    assert.strictEqual(
      messageOf("GET", "/messages/stream?content=a&conversationId=1"),
      "There is no such parameter: use conversation_id"
    )
    assert.match(
      messageOf("GET", "/messages?colour=red") ?? "",
      /^There is no such parameter: there are limit, cursor, scope, search$/
    )
    assert.strictEqual(messageOf("GET", "/me?limit=1"), "There is no such parameter: this address has none")
    const several = refused("GET", `/messages?secret=hunter2&skip=1&${"x".repeat(200)}=1`)?.details?.errors
    assert.deepStrictEqual(
      several?.map(({ path }) => path[1]),
      ["secret", "skip", "x".repeat(64)]
    )
    assert.notInclude(JSON.stringify(several), "hunter2")
  })
})
