import { Conversation } from "@llm-saas/domain/Conversation"
import { Generation, GenerationId } from "@llm-saas/domain/Generation"
import { Message } from "@llm-saas/domain/Message"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { ConversationsApi } from "../src/ConversationsApi.ts"
import { After, EventId } from "../src/EventId.ts"
import * as Examples from "../src/Examples.ts"
import { GenerationsApi } from "../src/GenerationsApi.ts"
import { MessagesApi } from "../src/MessagesApi.ts"
import { StreamEvent } from "../src/StreamEvent.ts"

class Asking extends HttpApi.make("asking").add(MessagesApi, ConversationsApi, GenerationsApi) {}

const ID = "01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b"

describe("the contract", () => {
  it.effect("shows answers that its own schemas accept", () =>
    Effect.gen(function* () {
      yield* Schema.decodeUnknownEffect(Message)(Examples.message)
      yield* Schema.decodeUnknownEffect(Conversation)(Examples.conversation)
      yield* Schema.decodeUnknownEffect(Generation)(Examples.generation)
      const shown = Examples.streams.json.value.match(/^data: \{.*$/gmu) ?? []
      assert.strictEqual(shown.length, 4)
      for (const line of shown) yield* Schema.decodeEffect(Schema.fromJsonString(StreamEvent))(line.slice(6))
    })
  )

  it("says of every endpoint what it does, and shows what it answers", () => {
    const { paths } = OpenApi.fromApi(Asking)
    const operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation }))
    )
    assert.strictEqual(operations.length, 15)
    for (const { name, operation } of operations) {
      const text = JSON.stringify(operation)
      assert.match(text, /"summary":"[^"]/u, name)
      assert.match(text, /"examples?":|"204"/u, name)
      assert.notInclude(text, "x-effect-stream", name)
    }
  })

  it.effect("reads the place in a stream as clients send it, and nothing that only looks like one", () =>
    Effect.gen(function* () {
      const read = Schema.decodeEffect(EventId)
      assert.deepStrictEqual(yield* read(`${ID.toUpperCase()}:12`), {
        generationId: GenerationId.make(ID),
        seq: 12
      })
      for (const wrong of ["", "12", ID, `${ID}:`, `${ID}:-1`, `${ID}:01`, `${ID}:1 `, `${ID}:9999999999`, `x${ID}:1`])
        assert.isTrue((yield* Effect.exit(read(wrong)))._tag === "Failure", wrong)
      assert.strictEqual(yield* Schema.decodeEffect(After)("0"), 0)
      for (const wrong of ["", "-1", "0x1", "1e3", "01", " 1"])
        assert.isTrue((yield* Effect.exit(Schema.decodeEffect(After)(wrong)))._tag === "Failure", wrong)
    })
  )
})
