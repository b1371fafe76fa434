import { Api } from "@llm-saas/api/Api"
import { assert, it } from "@effect/vitest"
import { Exit, Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { schemaIssuesOf } from "../../src/http/SchemaIssues.ts"

const KINDS = [null, true, 7, -1.5, "", "x", "\0", "\ud800", [], ["x"], {}, { x: 1 }]

/** Every body that an endpoint takes, by the endpoint's name. */
const bodies: Array<readonly [name: string, schema: Schema.Codec<unknown>]> = []
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, group }) => {
    for (const payload of endpoint.payload.values())
      if ("schemas" in payload)
        for (const schema of payload.schemas)
          bodies.push([`${group.identifier}.${endpoint.identifier}`, schema as Schema.Codec<unknown>])
  }
})

const fieldsOf = (name: string): ReadonlyArray<string> => {
  const { components, paths } = OpenApi.fromApi(Api)
  const operation = Object.values(paths)
    .flatMap((item) => [item.get, item.post, item.put, item.patch])
    .find((each) => each?.operationId === name)
  return Object.values(operation?.requestBody?.content ?? {}).flatMap(({ schema }) => {
    const reference = Object(schema)["$ref"]
    const found = Object(components.schemas[String(reference).split("/").at(-1) ?? ""])
    return [found, ...(found.anyOf ?? [])].flatMap((each) => Object.keys(each.properties ?? {}))
  })
}

it("what is wrong with a body is said in plain words, with its place, and without names of ours", () => {
  const names = Object.keys(OpenApi.fromApi(Api).components.schemas)
  const said = new Set<string>()
  for (const [name, schema] of bodies) {
    const decode = Schema.decodeUnknownExit(Schema.toCodecJson(schema))
    const fields = fieldsOf(name)
    assert.isNotEmpty(fields, name)
    const bad = [...KINDS, ...fields.flatMap((field) => KINDS.map((value) => ({ [field]: value })))]
    for (const value of bad) {
      const exit = decode(value)
      if (Exit.isSuccess(exit)) continue
      const error = Exit.findErrorOption(exit)
      assert.strictEqual(error._tag, "Some", name)
      for (const { message, path } of error._tag === "Some" ? schemaIssuesOf(error.value.issue, "payload") : []) {
        said.add(message)
        assert.strictEqual(path[0], "payload")
        assert.match(message, /^Expected [a-z0-9"]/, name)
        assert.notMatch(message, /[{}|]|readonly|string|\bnull \|/, name)
        for (const each of names) assert.notMatch(message, new RegExp(`\\b${each}\\b`, "u"), name)
      }
    }
  }
  assert.includeMembers(
    [...said],
    [
      "Expected an object",
      "Expected a value, and there is none",
      "Expected text or null",
      "Expected a number",
      'Expected "admin" or "user"'
    ]
  )
})
