import { percentile, post } from "./Load.ts"
import { cpuMicros, serve, type Served } from "./Process.ts"
import { streams } from "./Streams.ts"
import { type SignUp, UNLIMITED, warm } from "./streaming.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const [TOKENS, DELAY_MS] = [50, 20]
/** How many streams are opened, and over how many ms. An answer takes a second: as many run at once as are opened in one. */
const LOADS = [
  { name: "50 at once", streams: 150, ramp: 3000 },
  { name: "200 at once", streams: 600, ramp: 3000 }
]

/**
 * Streams from an OpenAI-like provider of 50 tokens, 20 ms apart, opened evenly: through this server, through a proxy that only pipes the
 * bytes, and read at the provider itself, whose first token is subtracted from the others'. In turns.
 */
export const upstream = async (environment: Record<string, string>, signUp: SignUp, rounds: number) => {
  const provider = await serve("the provider itself", script("provider.ts"), {
    DELAY: String(DELAY_MS),
    TOKENS: String(TOKENS)
  })
  const base = `http://127.0.0.1:${provider.port}/v1`
  const pipe = await serve("bytes-only pipe", script("pipe.ts"), { PROVIDER: base })
  const ours = await serve("llm-saas", script("../src/main.ts"), {
    ...environment,
    ...UNLIMITED,
    OPENAI_BASE_URL: base,
    OPENAI_API_KEY: "benchmark"
  })
  try {
    const { token } = await signUp(ours.port)
    const ask = post("/messages/stream", JSON.stringify({ content: "What is a room?" }), "application/json", {
      authorization: `Bearer ${token}`
    })
    const plain = post(
      "/v1/chat/completions",
      JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "What is a room?" }] }),
      "application/json"
    )
    const servers = [
      { server: ours, request: ask },
      { server: pipe, request: plain },
      { server: provider, request: plain }
    ]
    for (const { request, server } of servers.slice(0, 2)) for (let n = 0; n < 3; n++) await warm(server, request, 1)
    const rows: Array<ReadonlyArray<string>> = []
    for (const one of LOADS) rows.push(...(await measure(one, servers, rounds)))
    table(
      `Streams of a provider of ${TOKENS} tokens, ${DELAY_MS} ms apart`,
      [
        "streams",
        "server",
        "CPU µs a token",
        "ours ÷ pipe",
        "first token added p50 ms",
        "p99 ms",
        "gap p50 ms",
        "p99 ms",
        "of the tokens",
        "broken"
      ],
      rows
    )
  } finally {
    await Promise.all([ours.stop(), pipe.stop(), provider.stop()])
  }
}

interface Asking {
  readonly server: Served
  readonly request: string
}

async function measure(one: (typeof LOADS)[number], servers: ReadonlyArray<Asking>, rounds: number) {
  const samples = servers.map((asking) => ({
    ...asking,
    cpu: [0].slice(1),
    p50: [0].slice(1),
    p99: [0].slice(1),
    gap: [0].slice(1),
    gap99: [0].slice(1),
    part: [0].slice(1),
    broken: 0
  }))
  const [own, pipe, direct] = samples
  if (own === undefined || pipe === undefined || direct === undefined) return []
  for (let round = 0; round <= rounds; round++) {
    for (const sample of samples) {
      const before = cpuMicros(sample.server.pid)
      const { port } = sample.server
      const result = await streams({ port, request: sample.request, streams: one.streams, ramp: one.ramp })
      sample.broken += result.broken
      if (round === 0) continue
      // Every answer of the provider has as many, whichever way it is read: with its finish reason, the provider's and the pipe's one more.
      const expected = one.streams * (sample === own ? TOKENS : TOKENS + 1)
      sample.cpu.push((cpuMicros(sample.server.pid) - before) / (one.streams * TOKENS))
      sample.p50.push(percentile(result.first, 0.5))
      sample.p99.push(percentile(result.first, 0.99))
      sample.gap.push(percentile(result.gaps, 0.5))
      sample.gap99.push(percentile(result.gaps, 0.99))
      sample.part.push(result.events / expected)
    }
  }
  const added = (of: ReadonlyArray<number>, at: ReadonlyArray<number>) =>
    median(of.map((milliseconds, n) => milliseconds - (at[n] ?? Number.NaN))).toFixed(1)
  return samples.map((sample) => [
    one.name,
    sample.server.name,
    sample === direct ? "" : median(sample.cpu).toFixed(0),
    sample === own ? median(sample.cpu.map((cpu, n) => cpu / (pipe.cpu[n] ?? Number.NaN))).toFixed(2) : "",
    sample === direct ? "" : added(sample.p50, direct.p50),
    sample === direct ? "" : added(sample.p99, direct.p99),
    median(sample.gap).toFixed(1),
    median(sample.gap99).toFixed(1),
    `${(median(sample.part) * 100).toFixed(0)} %`,
    String(sample.broken)
  ])
}
