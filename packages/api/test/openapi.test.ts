import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { readFileSync } from "node:fs"
import { Api } from "../src/Api.ts"
import { tidy } from "../src/Document.ts"

const document = OpenApi.fromApi(Api)
const METHODS = ["get", "post", "put", "patch", "delete"] as const
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, operation }]
  })
)

describe("the document of the contract", () => {
  it("is the one in git: `npm run openapi` writes it anew, and its diff is what the commit decides", () => {
    const golden = readFileSync(new URL("../openapi.json", import.meta.url), "utf8")
    assert.strictEqual(`${JSON.stringify(document, null, 2)}\n`, golden)
  })

  it("says of everything what it is for, and of every operation who may call it", () => {
    const ids = new Set<string>()
    for (const { name, operation } of operations) {
      for (const key of ["operationId", "summary", "description"] as const)
        assert.isOk(operation[key], `${name} ${key}`)
      assert.isNotEmpty(operation.tags, name)
      assert.isDefined(operation.security, name)
      ids.add(operation.operationId)
    }
    assert.strictEqual(ids.size, operations.length)
    const described = document.tags?.filter(({ description }) => description !== undefined).map((tag) => tag.name) ?? []
    for (const { name, operation } of operations) assert.includeMembers(described, operation.tags, name)
    assert.isNotEmpty(document.servers)
    assert.strictEqual(document.info.license?.name, "MIT")
  })

  it.effect("shows requests and answers that its own schemas accept", () =>
    Effect.gen(function* () {
      const shown = new Map(
        operations.map(({ operation }) => [
          operation.operationId,
          Object.values(operation.requestBody?.content ?? {}).map((media): unknown => Reflect.get(media, "example"))
        ])
      )
      const payloads: Array<readonly [string, Schema.Codec<unknown>]> = []
      HttpApi.reflect(Api, {
        onGroup: () => {},
        onEndpoint: ({ endpoint, group }) => {
          for (const payload of endpoint.payload.values())
            if ("schemas" in payload)
              payloads.push([`${group.identifier}.${endpoint.identifier}`, payload.schemas[0] as Schema.Codec<unknown>])
        }
      })
      assert.isAtLeast(payloads.length, 6)
      for (const [id, schema] of payloads) {
        const examples = shown.get(id)?.filter((example) => example !== undefined)
        assert.isDefined(examples, id)
        for (const example of examples ?? []) yield* Schema.decodeUnknownEffect(schema)(example)
      }
    })
  )

  it("has patterns that a reader without Unicode properties understands", () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/gu)].map(([, text]) =>
      String(JSON.parse(text ?? ""))
    )
    assert.isNotEmpty(patterns)
    for (const pattern of patterns) assert.notMatch(pattern, /\\p\{|\(\?<|\(\?[a-z-]+:/u)
  })

  it("has plain names, and two only where two schemas differ", () => {
    class Thing extends Schema.Class<Thing>("Thing")({ at: Schema.DateTimeUtcFromString }) {}
    const other = Schema.Struct({ made_at: Schema.String }).annotate({ identifier: "Thing" })
    const get = HttpApiEndpoint.get("get", "/a", { success: Thing })
    const post = HttpApiEndpoint.post("post", "/b", { payload: other, success: other })
    class Small extends HttpApi.make("small").add(HttpApiGroup.make("things").add(get, post)).annotateMerge(tidy) {}
    const { components } = OpenApi.fromApi(Small)
    assert.deepStrictEqual(Object.keys(components.schemas).toSorted(), ["Thing", "ThingEncoded"])
    assert.deepInclude(components.schemas["Thing"], {
      properties: { made_at: { type: "string", format: "date-time" } }
    })
  })
})
