import { get, percentile, post } from "./Load.ts"
import { loadApart } from "./LoadApart.ts"
import { cpuMicros, residentMegabytes, serve, type Served } from "./Process.ts"
import { streams } from "./Streams.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const TOKENS = 200
/** One account asks all of it. */
export const UNLIMITED = {
  GENERATIONS_PER_USER: "100000",
  GENERATIONS_PER_TENANT: "100000",
  GENERATIONS_AT_ONCE: "100000"
}
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Who asks: a token of an account of the server under test. */
export type SignUp = (port: number) => Promise<{ readonly token: string }>

/**
 * Streams of 200 tokens from the mock model, beside raw node:http writing the same tokens, in turns. Ours checks a token, writes the
 * question down, keeps every token as it comes, and ends with a final row; the raw one does nothing of it.
 */
export const streaming = async (
  environment: Record<string, string>,
  signUp: SignUp,
  rounds: number,
  withRequests: boolean
) => {
  for (const delay of [20, 0]) {
    const ours = await serve("llm-saas", script("../src/main.ts"), {
      ...environment,
      MOCK_TOKENS: String(TOKENS),
      MOCK_TTFT_MS: String(delay),
      MOCK_DELAY_MS: String(delay),
      ...UNLIMITED
    })
    const raw = await serve("node:http", script("rawStreams.ts"), { DELAY: String(delay), TOKENS: String(TOKENS) })
    try {
      const { token } = await signUp(ours.port)
      const asking = (content: string) =>
        post("/messages/stream", JSON.stringify({ content }), "application/json", { authorization: `Bearer ${token}` })
      const ask = asking("What is a room?")
      await warm(ours, asking('[[mock {"ttft": 0, "delay": 0}]]'))
      await warm(raw, post("/now", "", "text/plain"))
      await compare(delay, ours, raw, ask, rounds)
      if (delay > 0 && withRequests) await beside(ours, raw, ask, token, rounds)
      if (delay === 0) await firstToken(ours, raw, ask)
    } finally {
      await Promise.all([ours.stop(), raw.stop()])
    }
  }
}

/** Warm-up: otherwise five rounds of the smallest case would measure compiling and planning, which a long-running server has done. */
export async function warm(server: Served, ask: string, rounds = 8) {
  for (let round = 0; round < rounds; round++) await streams({ port: server.port, request: ask, streams: 200 })
}

/** A thousand running streams of 20 ms per token, and readers that join them: does each reader get every token in time? */
export const joined = async (environment: Record<string, string>, signUp: SignUp) => {
  const [count, tokens, delay] = [1000, 800, 20]
  const ours = await serve("llm-saas", script("../src/main.ts"), {
    ...environment,
    MOCK_TOKENS: String(tokens),
    MOCK_TTFT_MS: "0",
    MOCK_DELAY_MS: String(delay),
    ...UNLIMITED
  })
  try {
    const { token } = await signUp(ours.port)
    const asking = (content: string) =>
      post("/messages/stream", JSON.stringify({ content }), "application/json", { authorization: `Bearer ${token}` })
    await warm(ours, asking('[[mock {"tokens": 20, "delay": 0}]]'))
    const resting = residentMegabytes(ours.pid)
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMegabytes(ours.pid))
    }, 100)
    let heard = 0
    const all = streams({
      port: ours.port,
      request: asking("What is a room?"),
      streams: count,
      ramp: 5000,
      heard: (events) => {
        heard += events
      }
    })
    const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    await wait(7000)
    const [before, cpu, started] = [heard, cpuMicros(ours.pid), performance.now()]
    const newcomers = streams({
      port: ours.port,
      request: asking('[[mock {"tokens": 5, "delay": 0}]]'),
      streams: 100,
      ramp: 5000
    })
    await wait(6000)
    const seconds = (performance.now() - started) / 1000
    const [events, used] = [heard - before, cpuMicros(ours.pid) - cpu]
    const { first } = await newcomers
    const { broken, first: own, gaps } = await all
    clearInterval(watch)
    table(
      `${count} streams of ${delay} ms a token, all there; first token of those who come then`,
      [
        "tokens/s",
        "of",
        "CPU µs a token",
        "first token of newcomers p50 ms",
        "p99 ms",
        "of the thousand p50 ms",
        "p99 ms",
        "gap p50 ms",
        "p99 ms",
        "MB more than idle",
        "broken"
      ],
      [
        [
          (events / seconds).toFixed(0),
          String((count * 1000) / delay),
          (used / events).toFixed(1),
          percentile(first, 0.5).toFixed(1),
          percentile(first, 0.99).toFixed(1),
          percentile(own, 0.5).toFixed(1),
          percentile(own, 0.99).toFixed(1),
          percentile(gaps, 0.5).toFixed(1),
          percentile(gaps, 0.99).toFixed(1),
          (peak - resting).toFixed(0),
          String(broken)
        ]
      ]
    )
  } finally {
    await ours.stop()
  }
}

/** A model that says 2,000 tokens a second, and one stream at a time beside it: the first token of these, with and without it. */
export const mixed = async (environment: Record<string, string>, signUp: SignUp, rounds: number) => {
  const ours = await serve("llm-saas", script("../src/main.ts"), { ...environment, ...UNLIMITED, MOCK_TOKENS: "20" })
  try {
    const { token } = await signUp(ours.port)
    const asking = (wish: string) =>
      post("/messages/stream", JSON.stringify({ content: `[[mock ${wish}]]` }), "application/json", {
        authorization: `Bearer ${token}`
      })
    const short = asking('{"tokens": 5, "ttft": 0, "delay": 0}')
    await warm(ours, short)
    const samples = { quiet: [0].slice(1), busy: [0].slice(1) }
    const measure = async (into: Array<number>) => {
      for (let n = 0; n < 100; n++) into.push(...(await streams({ port: ours.port, request: short, streams: 1 })).first)
    }
    for (let round = 0; round < rounds; round++) {
      await measure(samples.quiet)
      const run = { over: false }
      // 20 answers of a token each 10 ms.
      const fast = streams({
        port: ours.port,
        request: asking('{"tokens": 100, "ttft": 0, "delay": 10}'),
        streams: 20
      }).finally(() => {
        run.over = true
      })
      await new Promise((resolve) => setTimeout(resolve, 100))
      while (!run.over) samples.busy.push(...(await streams({ port: ours.port, request: short, streams: 1 })).first)
      await fast
    }
    const [quiet, busy] = [samples.quiet, samples.busy].map((values) => Float64Array.from(values).sort())
    if (quiet === undefined || busy === undefined) return
    table(
      "First token of one stream beside 2,000 tokens a second",
      ["", "quiet, ms", "beside, ms", "ratio"],
      [0.5, 0.99].map((p) => {
        const [a, b] = [percentile(quiet, p), percentile(busy, p)]
        return [`p${p * 100}`, a.toFixed(2), b.toFixed(2), (b / a).toFixed(2)]
      })
    )
  } finally {
    await ours.stop()
  }
}

async function compare(delay: number, ours: Served, raw: Served, ask: string, rounds: number) {
  const rows: Array<ReadonlyArray<string>> = []
  for (const count of [50, 200]) {
    const samples = [ours, raw].map((server) => ({
      server,
      cpu: [0].slice(1),
      rate: [0].slice(1),
      p50: [0].slice(1),
      p99: [0].slice(1),
      gap: [0].slice(1),
      gap99: [0].slice(1),
      memory: 0,
      broken: 0
    }))
    for (let round = 0; round <= rounds; round++) {
      for (const sample of samples) {
        const cpu = cpuMicros(sample.server.pid)
        const memory = residentMegabytes(sample.server.pid)
        const peak = { megabytes: 0 }
        const watch = setInterval(() => {
          peak.megabytes = Math.max(peak.megabytes, residentMegabytes(sample.server.pid))
        }, 50)
        const result = await streams({ port: sample.server.port, request: ask, streams: count })
        clearInterval(watch)
        sample.broken += result.broken
        if (round === 0) continue
        sample.cpu.push((cpuMicros(sample.server.pid) - cpu) / result.events)
        sample.rate.push(result.events / result.seconds)
        sample.p50.push(percentile(result.first, 0.5))
        sample.p99.push(percentile(result.first, 0.99))
        sample.gap.push(percentile(result.gaps, 0.5))
        sample.gap99.push(percentile(result.gaps, 0.99))
        sample.memory = Math.max(sample.memory, ((peak.megabytes - memory) * 1024) / count)
      }
    }
    const [own, other] = samples
    for (const sample of samples) {
      rows.push([
        String(count),
        sample.server.name,
        median(sample.rate).toFixed(0),
        median(sample.cpu).toFixed(1),
        sample === own && other !== undefined
          ? median(sample.cpu.map((cpu, n) => cpu / (other.cpu[n] ?? Number.NaN))).toFixed(2)
          : "",
        median(sample.p50).toFixed(1),
        median(sample.p99).toFixed(1),
        median(sample.gap).toFixed(1),
        median(sample.gap99).toFixed(1),
        sample.memory > 0 ? sample.memory.toFixed(0) : "-",
        String(sample.broken)
      ])
    }
  }
  table(
    `Streams of ${TOKENS} tokens, ${delay === 0 ? "without delay" : `${delay} ms a token`}`,
    [
      "streams",
      "server",
      "tokens/s",
      "CPU µs a token (= ms per 1,000)",
      "ours ÷ raw",
      "first token p50 ms",
      "p99 ms",
      "gap p50 ms",
      "p99 ms",
      "kB a stream",
      "broken"
    ],
    rows
  )
}

/** One stream at a time, in turns: what we add before a model that answers at once. */
async function firstToken(ours: Served, raw: Served, ask: string) {
  const rows = [ours, raw].map((server) => ({ server, first: [0].slice(1) }))
  for (let round = 0; round < 300; round++) {
    for (const { first, server } of rows) {
      const result = await streams({ port: server.port, request: ask, streams: 1 })
      if (round >= 50) first.push(...result.first)
    }
  }
  table(
    "First token of a single stream, model without delay, a new connection each",
    ["server", "p50 ms", "p99 ms"],
    rows.map(({ first, server }) => {
      const sorted = Float64Array.from(first).sort()
      return [server.name, percentile(sorted, 0.5).toFixed(2), percentile(sorted, 0.99).toFixed(2)]
    })
  )
}

/**
 * A short request at a light load, with and without 200 streams beside it: ours a GET /me with its token check and its database, the
 * other one's an empty answer. The percentiles of all rounds together: one of them holds too few requests to have a p99.
 */
async function beside(ours: Served, raw: Served, ask: string, token: string, rounds: number) {
  const servers = [
    { server: ours, name: "GET /me", request: get("/me", { authorization: `Bearer ${token}` }) },
    { server: raw, name: "node:http, GET /health", request: get("/health") }
  ].map((one) => ({ ...one, quiet: [[0].slice(1)], busy: [[0].slice(1)] }))
  // The first round is not counted: it is where plans are made and code is compiled.
  for (let round = 0; round <= rounds; round++) {
    for (const { busy, quiet, request, server } of servers) {
      const measure = () => loadApart({ port: server.port, request, connections: 4, seconds: 2, status: 200 })
      if (round === 0) {
        await measure()
        continue
      }
      quiet.push([...(await measure()).latencies])
      const running = streams({ port: server.port, request: ask, streams: 200 })
      await new Promise((resolve) => setTimeout(resolve, 1000))
      busy.push([...(await measure()).latencies])
      await running
    }
  }
  const sorted = (rounds: ReadonlyArray<ReadonlyArray<number>>) => Float64Array.from(rounds.flat()).sort()
  table(
    "Beside 200 streams of 20 ms a token",
    ["", "", "quiet, ms", "200 streams, ms", "ratio"],
    servers.flatMap(({ busy, name, quiet }) => {
      const [without, during] = [sorted(quiet), sorted(busy)]
      return [0.5, 0.99].map((p) => {
        const [a, b] = [percentile(without, p), percentile(during, p)]
        return [name, `p${p * 100}`, a.toFixed(2), b.toFixed(2), (b / a).toFixed(2)]
      })
    })
  )
}
