import { assert, describe, it } from "@effect/vitest"
import { chunk, DONE, type UpstreamCall } from "@llm-saas/testing/FakeUpstream"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { ask, next, Log, withUpstream, answered, failedWith } from "./AskedProvider.ts"

describe("an answer in another form", () => {
  const whole = JSON.stringify({
    choices: [{ index: 0, message: { role: "assistant", content: "A room." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 3 }
  })
  const events =
    chunk({ delta: { content: "A " } }) + chunk({ delta: { content: "room." }, finish_reason: "stop" }) + DONE

  it.effect("is read: JSON for a stream, a stream with another content type or none, compressed without request", () =>
    Effect.gen(function* () {
      const sent: ReadonlyArray<readonly [string | Uint8Array, Readonly<Record<string, string>>]> = [
        [whole, { "content-type": "application/json" }],
        [events, { "content-type": "application/json" }],
        [events, { "content-type": "text/plain" }],
        [events, {}],
        [gzipSync(events), { "content-encoding": "gzip", "content-type": "text/event-stream" }],
        [gzipSync(whole), { "content-encoding": "x-gzip" }],
        [deflateSync(events), { "content-encoding": "deflate" }],
        [brotliCompressSync(events), { "content-encoding": "br" }],
        [zstdCompressSync(events), { "content-encoding": "zstd" }],
        [events, { "content-encoding": "identity" }]
      ]
      for (const [body, headers] of sent) {
        const { result, said } = yield* answered((call) => {
          call.head(200, headers)
          call.write(body)
          call.end()
        })
        assert.strictEqual(said.join(""), "A room.", JSON.stringify(headers))
        assert.isTrue(Result.isSuccess(result) && result.success.finishReason === "stop")
      }
      const { said } = yield* answered((call) => {
        call.head(201)
        call.end(events)
      })
      assert.strictEqual(said.join(""), "A room.")
    })
  )

  it.effect("is read if all of it is one line without an end, after any time and in any pieces", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(86_400_000)
      const pretty = JSON.stringify(JSON.parse(whole), undefined, 2)
      for (const body of [
        whole,
        pretty,
        `${whole}\n`,
        `data: ${whole}`,
        events.slice(0, events.indexOf("data: [DONE]")).trimEnd()
      ])
        for (const pieces of [1, 5]) {
          const asking = yield* ask()
          const call = yield* next
          call.head(200, { "content-type": "application/json" })
          for (let piece = 0; piece < pieces; piece++) {
            yield* TestClock.adjust(300)
            const size = Math.ceil(body.length / pieces)
            call.write(body.slice(piece * size, (piece + 1) * size))
          }
          call.end()
          assert.strictEqual((yield* asking.completion).finishReason, "stop", body)
          assert.strictEqual(asking.said.join(""), "A room.", body)
        }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is a failure after too many bytes without an event", () =>
    Effect.gen(function* () {
      const ways = [" ".repeat(20_000_000), `${": ".repeat(500)}\n`.repeat(20_000)]
      for (const bytes of ways)
        for (const before of ["", chunk({ delta: { reasoning_content: "hm" } })]) {
          const asking = yield* ask()
          const call = yield* next
          call.head(200, { "content-encoding": "gzip" })
          // Its end never comes.
          const zip = createGzip()
          zip.on("data", (part: Uint8Array) => call.write(part))
          zip.write(before + bytes)
          zip.flush()
          assert.strictEqual((yield* asking.failure).reason, "model_malformed")
          yield* call.closed
        }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("arrives token by token although it is compressed, and is cut where its bytes are", () =>
    Effect.gen(function* () {
      for (const cut of ["cut", "reset"] as const) {
        const asking = yield* ask()
        const call = yield* next
        call.head(200, { "content-encoding": "gzip" })
        const zip = createGzip({ flush: constants.Z_SYNC_FLUSH })
        zip.on("data", (bytes: Uint8Array) => call.write(bytes))
        zip.write(chunk({ delta: { content: "A" } }))
        yield* asking.heard(1)
        zip.write(chunk({ delta: { content: " room" } }))
        yield* asking.heard(2)
        call[cut]()
        assert.strictEqual((yield* asking.failure).reason, "model_cut")
        assert.deepStrictEqual(asking.said, ["A", " room"])
      }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is a failure if its encoding is unknown", () =>
    Effect.gen(function* () {
      const ways = [
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "gzip" }),
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "lzw" }),
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "gzip, br" })
      ]
      for (const way of ways) assert.notStrictEqual((yield* failedWith(way))[0], undefined)
      assert.strictEqual((yield* failedWith((call) => call.refuse(200, whole.slice(0, -9))))[0], "model_cut")
    })
  )

  it.effect("that is not understood is logged once for its form, without its content", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 3; n++) {
        const asking = yield* ask()
        const call = yield* next
        call.head()
        call.write(chunk({ delta: { content: { type: "hologram", payload: "hunter2" } }, finish_reason: "stop" }))
        call.end(DONE)
        assert.strictEqual((yield* asking.failure).reason, "model_malformed")
      }
      const { lines } = yield* Log
      const warnings = lines.filter((line) => line.includes("not understood") && line.startsWith("Warn"))
      assert.strictEqual(warnings.length, 1)
      assert.notInclude(lines.join(""), "hunter2")
    }).pipe(withUpstream({ retries: 0 }))
  )
})
