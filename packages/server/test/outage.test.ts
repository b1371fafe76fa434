import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { signUp } from "./People.ts"
import { Running } from "./Running.ts"
import { EventSource } from "./sse/EventSource.ts"
import { sendTo } from "./sse/Reading.ts"

const eventsOf = (text: string) => new EventSource().feed(new TextEncoder().encode(text)).events

/** Cuts every connection to the file's database, and refuses new ones until the scope is closed. */
const outage = Effect.acquireRelease(
  Effect.gen(function* () {
    const { adminUrl, name } = yield* TestDatabase
    yield* Databases.execute(adminUrl, `alter database ${name} connection limit 0`)
    yield* Databases.execute(
      adminUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename like 'llm\\_%'`
    )
    return { adminUrl, name }
  }),
  ({ adminUrl, name }) => Effect.orDie(Databases.execute(adminUrl, `alter database ${name} connection limit -1`))
)

layer(Running.with({ MOCK_TOKENS: "150", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "20", GENERATIONS_PER_USER: "30" }), {
  timeout: "120 seconds"
})("while PostgreSQL restarts under load", (it) => {
  it.effect("requests are told to come back, streams go on to their end, and everything recovers by itself", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* signUp(send)
      const { token } = person
      const streams = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        sendTo(port, "POST", "/messages/stream", { token, json: { content: "What lasts?" } })
      )
      yield* Effect.forEach(streams, (reading) => reading.until((text) => eventsOf(text).length >= 5))

      const requests = [
        send("GET", "/me", { token }),
        send("GET", "/messages", { token }),
        send("POST", "/messages", { token, json: { content: "Now?" } }),
        send("POST", "/create-tenant", { json: { name: "Later" } }),
        send("GET", "/ready")
      ]
      const during = yield* Effect.andThen(
        outage,
        Effect.forEach([...requests, ...requests, ...requests], (request) => request, { concurrency: 8 })
      ).pipe(Effect.scoped)
      for (const { body, headers, status } of during) {
        assert.deepStrictEqual([status, body["code"]], [503, "unavailable"])
        assert.match(headers.get("retry-after") ?? "", /^\d+$/u)
      }
      assert.strictEqual((yield* send("GET", "/health")).status, 200)

      for (const reading of streams) {
        const events = eventsOf((yield* reading.end).text)
        assert.strictEqual(events.at(-1)?.data, "[DONE]")
        assert.strictEqual(events.length, 151)
        const kept = yield* send("GET", `/generations/${String(reading.headers["x-generation-id"])}`, { token })
        assert.deepStrictEqual(
          [kept.body["status"], kept.body["text"]],
          [
            "completed",
            events
              .slice(0, -1)
              .map(({ data }) => data)
              .join("")
          ]
        )
      }
      for (const request of requests) assert.isBelow((yield* request).status, 300)
    }).pipe(Effect.scoped)
  )
})
