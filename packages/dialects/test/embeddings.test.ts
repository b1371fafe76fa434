import { assert, describe, it } from "@effect/vitest"
import {
  decodeEmbeddings,
  embeddingsAnswer,
  embeddingsBody,
  embeddingsIn,
  numbersOf,
  textOf
} from "@llm-saas/dialects/Embeddings"
import { anthropicModels, codexModels, type ListedModel, openAiModels } from "@llm-saas/dialects/Models"
import type { JsonObject } from "@llm-saas/domain/Json"
import * as fc from "fast-check"

const requestOf = (body: JsonObject) => {
  const decoded = decodeEmbeddings(body)
  return decoded.type === "request" ? decoded.request : assert.fail(JSON.stringify(decoded))
}

describe("embeddings", () => {
  it("are asked for texts and tokens, one or several", () => {
    const cases: ReadonlyArray<readonly [JsonObject[string], ReadonlyArray<unknown>]> = [
      ["a", ["a"]],
      [
        ["a", "b"],
        ["a", "b"]
      ],
      [[1, 2], [[1, 2]]],
      [
        [[1], [2, 3]],
        [[1], [2, 3]]
      ]
    ]
    for (const [input, inputs] of cases)
      assert.deepStrictEqual(requestOf({ model: "e", input, dimensions: 2 }).input, inputs)
    for (const input of [undefined, 7, [], [[]], [1.5], ["a", [1]].concat([null as never]), {}]) {
      const decoded = decodeEmbeddings({ model: "e", input: input as never })
      assert.strictEqual(decoded.type === "mistake" ? decoded.mistake.param : "", "input", JSON.stringify(input))
    }
    const decoded = decodeEmbeddings({ model: "e", input: "a", encoding_format: "hex" })
    assert.deepInclude(decoded, { type: "mistake" })
  })

  it("are the same as numbers and as base64", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (vector) => {
        const text = textOf(vector)
        assert.strictEqual(text, Buffer.from(new Float32Array(vector).buffer).toString("base64"))
        assert.deepStrictEqual(numbersOf(text), vector)
      })
    )
    assert.deepStrictEqual(numbersOf("?"), [])
  })

  it("go to the provider and back as they are, in one dialect", () => {
    const body = { model: "e", input: ["a"], encoding_format: "base64", user: "u" }
    const request = requestOf(body)
    assert.deepStrictEqual(embeddingsBody(request, "up"), { ...body, model: "up" })
    const said = {
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: "AAAAAA==" }],
      model: "up-1",
      usage: { prompt_tokens: 1, total_tokens: 1 },
      x: 1
    }
    const answer = embeddingsIn(said, 1) ?? assert.fail("no answer")
    assert.deepInclude(answer, { model: "up-1", usage: { input: 1, output: 0 }, vectors: ["AAAAAA=="] })
    assert.deepStrictEqual(embeddingsAnswer(request, answer), said)
    const others = { ...answer, raw: undefined }
    const plain = { ...said }
    Reflect.deleteProperty(plain, "x")
    assert.deepStrictEqual(embeddingsAnswer(request, others), plain)
    assert.deepStrictEqual(embeddingsAnswer(requestOf({ model: "e", input: "a" }), others)["data"], [
      { object: "embedding", index: 0, embedding: [0] }
    ])
  })

  it("are no answer if one is missing or no vector", () => {
    const item = { index: 0, embedding: [1] }
    assert.isDefined(embeddingsIn({ data: [{ ...item, index: 1 }, item] }, 2))
    for (const [said, inputs] of [
      [{ data: [item] }, 2],
      [{ data: [item, item] }, 2],
      [{ data: [{ index: 0 }] }, 1],
      [{ data: [{ index: 0, embedding: ["x"] }] }, 1],
      [{ error: {} }, 1],
      ["", 1]
    ] as const)
      assert.isUndefined(embeddingsIn(said, inputs))
  })
})

describe("the list of models", () => {
  const models: ReadonlyArray<ListedModel> = [
    { id: "a", kind: "chat", provider: "openai", contextWindow: 1000, createdAt: 1_700_000_000 },
    { id: "b", kind: "embeddings", provider: "openai" },
    { id: "c", kind: "chat", provider: "anthropic" }
  ]

  it("has three forms", () => {
    assert.deepStrictEqual(openAiModels(models.slice(0, 1)), {
      object: "list",
      data: [{ id: "a", object: "model", created: 1_700_000_000, owned_by: "openai" }]
    })
    assert.deepStrictEqual(anthropicModels(models.slice(0, 1)), {
      data: [{ type: "model", id: "a", display_name: "a", created_at: "2023-11-14T22:13:20Z", max_input_tokens: 1000 }],
      has_more: false,
      first_id: "a",
      last_id: "a"
    })
    const { models: slugs } = codexModels(models)
    assert.deepStrictEqual(Array.isArray(slugs) ? slugs.map(({ slug }) => slug) : [], ["a", "c"])
  })

  it("has pages in Anthropic's form", () => {
    const ids = (page: JsonObject) => [page["first_id"], page["last_id"], page["has_more"]]
    assert.deepStrictEqual(ids(anthropicModels(models, { limit: 2 })), ["a", "b", true])
    assert.deepStrictEqual(ids(anthropicModels(models, { limit: 2, afterId: "b" })), ["c", "c", false])
    assert.deepStrictEqual(ids(anthropicModels(models, { limit: 1, beforeId: "c" })), ["b", "b", true])
    assert.deepStrictEqual(ids(anthropicModels(models, { beforeId: "b" })), ["a", "a", false])
    assert.deepStrictEqual(ids(anthropicModels([], {})), [null, null, false])
  })
})
