import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { merge } from "../src/metrics/Exposition.ts"
import { signUp } from "./People.ts"
import { freePort } from "./Process.ts"
import { Running } from "./Running.ts"

describe("what several processes say", () => {
  it("is one text, each family once, each sample with its process", () => {
    const text = (count: number) =>
      `# HELP a_total As.\n# TYPE a_total counter\na_total{source="x"} ${count}\n# TYPE b gauge\nb ${count}\n`
    assert.strictEqual(
      merge([
        { text: "# TYPE b gauge\nb 0\n", label: undefined },
        { text: text(1), label: 'worker="1"' },
        { text: "", label: 'worker="2"' },
        { text: text(3), label: 'worker="3"' }
      ]),
      [
        "# TYPE b gauge",
        "b 0",
        'b{worker="1"} 1',
        'b{worker="3"} 3',
        "",
        "# HELP a_total As.",
        "# TYPE a_total counter",
        'a_total{source="x",worker="1"} 1',
        'a_total{source="x",worker="3"} 3',
        ""
      ].join("\n")
    )
  })
})

const TOKEN = "a-token-for-the-scraper"

class MetricsPort extends Context.Service<MetricsPort, number>()("test/MetricsPort") {}

const world = (workers: number) =>
  Layer.unwrap(
    Effect.map(freePort, (port) =>
      Layer.merge(
        Running.with({
          METRICS_PORT: String(port),
          METRICS_TOKEN: TOKEN,
          WORKERS: String(workers),
          MOCK_TOKENS: "8",
          MOCK_TTFT_MS: "0",
          MOCK_DELAY_MS: "0"
        }),
        Layer.succeed(MetricsPort, port)
      )
    )
  )

const scrape = (path = "/metrics", token = TOKEN) =>
  Effect.flatMap(MetricsPort, (port) =>
    Effect.promise(() =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } }).then((response) =>
        response.text().then((text) => ({ status: response.status, text }))
      )
    )
  )

/** The sum of a family's samples that have these labels. */
const valueOf = (text: string, name: string, labels = "") =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0)

for (const workers of [1, 2]) {
  layer(world(workers), { timeout: "120 seconds" })(
    `metrics of ${workers === 1 ? "one process" : "two workers"}`,
    (it) => {
      it.effect("say what was asked and answered, for clients with the token", () =>
        Effect.gen(function* () {
          const { send } = yield* Running
          const { token } = yield* signUp(send)
          for (const path of ["/messages", "/messages/stream", "/messages"])
            assert.oneOf((yield* send("POST", path, { token, json: { content: "A secret?" } })).status, [200, 201])
          assert.strictEqual((yield* scrape("/metrics", "guess")).status, 401)
          assert.strictEqual((yield* scrape("/")).status, 404)
          const { status, text } = yield* scrape()
          assert.strictEqual(status, 200)
          assert.strictEqual(valueOf(text, "http_requests_total", 'route="/messages",status="201"'), 2)
          assert.strictEqual(valueOf(text, "llm_generations_total", 'source="messages",status="completed"'), 2)
          assert.strictEqual(valueOf(text, "llm_generations_total", 'source="messages.stream",status="completed"'), 1)
          assert.strictEqual(valueOf(text, "llm_first_token_seconds_count"), 3)
          assert.strictEqual(valueOf(text, "llm_tokens_total", 'direction="out"'), 24)
          assert.strictEqual(valueOf(text, "http_streams"), 0)
          assert.strictEqual(valueOf(text, "llm_generations_running"), 0)
          // The second worker may still be starting.
          assert.oneOf(valueOf(text, "db_pool_size"), [10, 10 * workers])
          assert.isAbove(valueOf(text, "process_resident_memory_bytes"), 10_000_000)
          for (const name of ["p50", "p99", "max"])
            assert.match(text, new RegExp(`^nodejs_eventloop_lag_${name}_seconds(\\{[^}]*\\})? [0-9.e-]+$`, "mu"))
          assert.notInclude(text, "secret")
          // Each family is described once.
          const types = text.split("\n").filter((line) => line.startsWith("# TYPE"))
          assert.strictEqual(new Set(types).size, types.length)
        })
      )
    }
  )
}
