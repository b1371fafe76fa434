import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { readFileSync } from "node:fs"
import { PROBLEMS } from "@llm-saas/domain/Problem"
import { Api } from "../src/Api.ts"
import { tidy } from "../src/Document.ts"
import { doorOfPath } from "../src/v1/Door.ts"

const document = OpenApi.fromApi(Api)
/** The members of a schema that the tests read. */
interface Piece {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<string>
  readonly anyOf?: ReadonlyArray<Piece>
  readonly allOf?: ReadonlyArray<Piece>
  readonly properties?: Readonly<Record<string, Piece>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: unknown
  readonly pattern?: string
  readonly format?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

interface Response {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema?: Piece }>>
  readonly headers?: object
}

interface Components {
  readonly schemas: Readonly<Record<string, Piece>>
  readonly securitySchemes: Readonly<Record<string, unknown>>
  readonly responses: Readonly<Record<string, Response>>
}

const components: Components = JSON.parse(JSON.stringify(document.components))
/** The name at the end of a reference. */
const last = (reference: unknown) => String(reference).split("/").at(-1) ?? ""

const METHODS = ["get", "post", "put", "patch", "delete"] as const
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, operation }]
  })
)

describe("the document of the contract", () => {
  it("is the one in git: `npm run openapi` writes it, and its diff is part of the commit", () => {
    const golden = readFileSync(new URL("../openapi.json", import.meta.url), "utf8")
    assert.strictEqual(`${JSON.stringify(document, null, 2)}\n`, golden)
  })

  it("describes everything, and says for every operation who may call it", () => {
    const ids = new Set<string>()
    for (const { name, operation } of operations) {
      for (const key of ["operationId", "summary", "description"] as const)
        assert.isOk(operation[key], `${name} has no ${key}: OpenApi.annotations of its endpoint in packages/api/src`)
      assert.isNotEmpty(operation.tags, name)
      for (const { description, name: parameter } of operation.parameters)
        assert.isOk(description, `${name} ${parameter}`)
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

  it.effect("shows an answer of every operation that has one, and its schema accepts every member", () =>
    Effect.gen(function* () {
      const answers = new Map(
        operations.map(({ operation }) => [
          operation.operationId,
          Object.entries(operation.responses).flatMap(([status, { content }]): ReadonlyArray<unknown> => {
            const media = content?.["application/json"]
            return Number(status) < 300 && media !== undefined ? [Reflect.get(media, "example")] : []
          })
        ])
      )
      const schemas: Array<readonly [string, Schema.Codec<unknown>]> = []
      HttpApi.reflect(Api, {
        onGroup: () => {},
        onEndpoint: ({ endpoint, group }) => {
          for (const schema of endpoint.success.values())
            schemas.push([`${group.identifier}.${endpoint.identifier}`, schema as Schema.Codec<unknown>])
        }
      })
      let shown = 0
      for (const [id, schema] of schemas) {
        for (const example of answers.get(id) ?? []) {
          assert.isDefined(example, `${id} shows no answer: Examples.answers at its endpoint in packages/api/src`)
          const codec = Schema.toCodecJson(schema)
          const value = yield* Schema.decodeUnknownEffect(codec)(example)
          assert.deepStrictEqual(yield* Schema.encodeEffect(codec)(value), JSON.parse(JSON.stringify(example)), id)
          shown++
        }
      }
      assert.isAtLeast(shown, 18)
    })
  )

  it("says below /v1 that errors have the form of the API whose clients call", () => {
    const doors = operations.filter(({ name }) => doorOfPath(name.split(" ")[1] ?? "") !== "native")
    assert.isAtLeast(doors.length, 6)
    for (const { name, operation } of doors) {
      const statuses = Object.keys(operation.responses)
      for (const status of statuses.filter((each) => Number(each) >= 400)) {
        const response: Response = Reflect.get(operation.responses, status)
        const schema = response.content?.["application/json"]?.schema
        assert.strictEqual(last(schema?.$ref), name.includes("/v1/messages") ? "AnthropicError" : "OpenAiError", name)
        assert.hasAllKeys(response.content, ["application/json"])
        assert.property(response.headers, "X-Request-Id")
        if (["429", "503"].includes(status)) assert.property(response.headers, "Retry-After")
        // A budget that is gone is not retried.
        const money = response.description.includes("`budget_exhausted`")
        const retried = (["408", "429"].includes(status) && !money) || Number(status) >= 500
        assert.strictEqual("X-Should-Retry" in (response.headers ?? {}), !retried, `${name} ${status}`)
      }
      assert.includeMembers(statuses, ["200", "400", "401", "405", "408", "431", "500", "503"], name)
      assert.strictEqual(statuses.includes("413") && statuses.includes("415"), "requestBody" in operation, name)
    }
    for (const error of ["OpenAiError", "AnthropicError"])
      assert.isFalse(components.schemas[error]?.additionalProperties)
  })

  it("lists the problems of every failure, all of them in the catalogue, with their headers", () => {
    const seen = new Set<string>()
    const own = operations.filter(({ name }) => doorOfPath(name.split(" ")[1] ?? "") === "native")
    for (const { name, operation } of own) {
      for (const [status, given] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue
        const reference: unknown = Reflect.get(given, "$ref")
        const response: Response | undefined = reference === undefined ? given : components.responses[last(reference)]
        const schema = response?.content?.["application/problem+json"]?.schema
        assert.isDefined(schema, `${name} ${status}`)
        for (const { $ref } of schema?.anyOf ?? [schema ?? {}]) {
          const problem = components.schemas[last($ref)]
          const code = problem?.properties?.["code"]?.enum?.[0] ?? ""
          seen.add(code)
          const declared: unknown = Reflect.get(Object(Reflect.get(PROBLEMS, code)), "status")
          assert.strictEqual(declared, Number(status), `${name} ${code}`)
          assert.deepStrictEqual(problem?.properties?.["type"]?.enum, [`/problems/${code}`])
          assert.includeMembers(
            [...(problem?.required ?? [])],
            ["type", "status", "title", "detail", "code", "request_id"]
          )
          assert.isFalse(problem?.additionalProperties)
        }
        assert.property(response?.headers, "X-Request-Id")
        if (["429", "503"].includes(status)) assert.property(response?.headers, "Retry-After")
      }
      const statuses = Object.keys(operation.responses)
      assert.includeMembers(statuses, ["400", "405", "408", "431", "500", "503"], name)
      assert.strictEqual(statuses.includes("413") && statuses.includes("415"), "requestBody" in operation, name)
      assert.strictEqual(
        statuses.includes("401"),
        operation.security.length > 0
          || /^POST \/(?:token|log(?:in|out)|invitations\/accept|email\/verify)/u.test(name),
        name
      )
    }
    assert.sameMembers([...seen], Object.keys(PROBLEMS))
  })

  it("accepts unknown members, and sends none", () => {
    const bodies = operations.flatMap(({ operation }) =>
      Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => last(schema["$ref"]))
    )
    assert.isAtLeast(new Set(bodies).size, 10)
    // Answers of other APIs are passed on with all of their members.
    const passed = operations.flatMap(({ name, operation }) => {
      const answer: Response | undefined = Reflect.get(operation.responses, "200")
      const isForeign = doorOfPath(name.split(" ")[1] ?? "") !== "native"
      return isForeign ? [last(answer?.content?.["application/json"]?.schema?.$ref)] : []
    })
    assert.strictEqual(new Set(passed).size, 10)
    // Parts of a body are as open as the body.
    const parts = bodies.flatMap((name) =>
      [...JSON.stringify(components.schemas[name]).matchAll(/"#\/components\/schemas\/(\w+)"/gu)].map(
        ([, part]) => part
      )
    )
    const open = [...bodies, ...parts, ...passed]
    for (const [name, schema] of Object.entries(components.schemas))
      if (schema.type === "object") assert.strictEqual(schema.additionalProperties, open.includes(name), name)
  })

  it("bounds every text in a request, and every number", () => {
    const unbounded = (name: string, schema: Piece): ReadonlyArray<string> => {
      const has = (...keys: ReadonlyArray<keyof Piece>) => keys.some((key) => key in schema)
      if (schema.type === "string" && !has("pattern", "format", "enum", "maxLength")) return [name]
      if ((schema.type === "integer" || schema.type === "number") && !(has("minimum") && has("maximum"))) return [name]
      const inner = [...(schema.anyOf ?? []), ...(schema.allOf ?? [])].flatMap((each) => unbounded(name, each))
      const nested = Object.entries(schema.properties ?? {}).flatMap(([key, each]) => unbounded(`${name}.${key}`, each))
      return [...inner, ...nested]
    }
    for (const { name, operation } of operations) {
      for (const parameter of operation.parameters)
        assert.deepStrictEqual(unbounded(`${name} ${parameter.name}`, parameter.schema), [])
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
        const body = components.schemas[last(schema["$ref"])]
        assert.isDefined(body, name)
        assert.deepStrictEqual(unbounded(name, body ?? {}), [])
      }
    }
  })

  it("offers the password flow wherever a token is required", () => {
    assert.deepInclude(components.securitySchemes["password"], {
      type: "oauth2",
      flows: { password: { tokenUrl: "/login", scopes: {} } }
    })
    for (const { name, operation } of operations)
      if (name.includes(" /operator")) assert.deepStrictEqual(operation.security, [{ operator: [] }], name)
      else if (operation.security.length > 0 && name !== "POST /create-tenant")
        assert.deepStrictEqual(
          operation.security,
          [{ bearer: [] }, { password: [] }, { "x-api-key": [] }, { "api-key": [] }],
          name
        )
  })

  it("has patterns that work without Unicode properties", () => {
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
