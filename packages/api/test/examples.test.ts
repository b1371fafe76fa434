import { Conversation } from "@llm-saas/domain/Conversation"
import { Generation, GenerationId } from "@llm-saas/domain/Generation"
import { Message } from "@llm-saas/domain/Message"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { OpenApi } from "effect/http-api"
import { Api } from "../src/Api.ts"
import { After, EventId } from "../src/EventId.ts"
import * as Examples from "../src/Examples.ts"
import { StreamEvent } from "../src/StreamEvent.ts"

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

  it("shows streams as this server sends them, and not as the framework would", () => {
    const { paths } = OpenApi.fromApi(Api)
    const streams = [
      paths["/messages/stream"]?.get,
      paths["/messages/stream"]?.post,
      paths["/generations/{id}/stream"]?.get
    ]
    for (const operation of streams) {
      const media = operation?.responses[200]?.content?.["text/event-stream"]
      assert.deepStrictEqual(Object.keys(media ?? {}), ["schema", "examples"])
    }
  })

  it.effect("reads the position in a stream as clients send it, and refuses everything else", () =>
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
