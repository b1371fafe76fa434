import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"

layer(Running.with({ MOCK_TOKENS: "3", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("an answer's id", (it) => {
  it.effect("of any door names it at the native one too, for feedback as well, and for its tenant alone", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const stranger = yield* signUp(send)
      const messages = [{ role: "user", content: "What is a room?" }]
      for (const [path, prefix, json] of [
        ["/v1/chat/completions", "chatcmpl-", { model: "mock-1", messages }],
        ["/v1/messages", "msg_", { model: "mock-1", max_tokens: 50, messages }],
        ["/v1/responses", "resp_", { model: "mock-1", input: "What is a room?" }]
      ] as const) {
        const answer = yield* send("POST", path, { token, json })
        const id = String(answer.body["id"])
        assert.isTrue(id.startsWith(prefix), id)
        const { body } = yield* send("GET", `/generations/${id}`, { token })
        assert.strictEqual(body["id"], answer.headers.get("x-generation-id"))
        const rated = yield* send("POST", `/generations/${id}/feedback`, {
          token,
          json: { rating: -1, comment: "No." }
        })
        assert.deepInclude(rated.body, { rating: -1, comment: "No.", message_id: body["message_id"] })
        const again = yield* send(
          "POST",
          `/generations/${id.toUpperCase().replace(/^[A-Z]+/u, (each) => each.toLowerCase())}/feedback`,
          {
            token,
            json: { rating: 1 }
          }
        )
        assert.deepInclude(again.body, { rating: 1, comment: null })
        for (const method of ["GET", "POST"] as const) {
          const at = `/generations/${id}${method === "POST" ? "/feedback" : ""}`
          const theirs = yield* send(method, at, {
            token: stranger.token,
            ...(method === "POST" ? { json: { rating: 1 } } : {})
          })
          assert.deepStrictEqual([theirs.status, theirs.body["code"]], [404, "generation_not_found"])
        }
      }
      for (const id of ["chatcmpl-1", "resp_0190d2a0-0000-7000-8000-000000000001", "x".repeat(36)])
        assert.strictEqual((yield* send("GET", `/generations/${id}`, { token })).status, 404)
    })
  )
})
