/**
 * What a token costs on its way from a provider: through the layer that the server uses, beside node:http that only counts the bytes,
 * and beside the client library by itself. Each in a process of its own, in turns, 200 streams at once.
 *
 *   node packages/llm/bench/main.ts [delay in ms between tokens, 20] [rounds, 3]
 */
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { OpenAiLayer } from "@llm-saas/llm/OpenAi"
import { Effect, ManagedRuntime } from "effect"
import { spawn } from "node:child_process"
import { Agent, createServer, request } from "node:http"
import OpenAI from "openai"
import { fileURLToPath } from "node:url"

const STREAMS = 200
const TOKENS = 200
const SELF = fileURLToPath(import.meta.url)

const frame = (choice: unknown) =>
  `data: ${JSON.stringify({ id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", object: "chat.completion.chunk", created: 1_741_569_952, model: "gpt-4o-mini-2024-07-18", service_tier: "default", system_fingerprint: "fp_06737a9306", choices: [choice], usage: null })}\n\n`

const token = frame({ index: 0, delta: { content: " token" }, logprobs: null, finish_reason: null })
const end = `${frame({ index: 0, delta: {}, logprobs: null, finish_reason: "stop" })}data: [DONE]\n\n`

const upstream = (delay: number) =>
  createServer((asked, answer) => {
    asked.resume()
    asked.on("end", () => {
      answer.writeHead(200, { "content-type": "text/event-stream" })
      let sent = 0
      const timer = setInterval(() => {
        answer.write(token)
        if (++sent < TOKENS) return
        clearInterval(timer)
        answer.end(end)
      }, delay)
    })
  })

const PROMPT = [{ role: "user" as const, content: "What is a room?" }]

const WAYS: Readonly<Record<string, (baseURL: string) => Promise<(heard: () => void) => Promise<unknown>>>> = {
  "node:http, bytes only": async (baseURL) => {
    const agent = new Agent({ keepAlive: true })
    const body = JSON.stringify({ model: "m", stream: true, messages: PROMPT })
    return (heard) =>
      new Promise((resolve, reject) => {
        const asked = request(`${baseURL}/chat/completions`, { method: "POST", agent }, (response) => {
          response.on("data", heard)
          response.on("end", resolve)
        })
        asked.on("error", reject)
        asked.end(body)
      })
  },
  "this package": async (baseURL) => {
    const runtime = ManagedRuntime.make(
      OpenAiLayer({
        apiKey: undefined,
        baseUrl: baseURL,
        azureApiVersion: undefined,
        model: "m",
        maxTokens: 1000,
        temperature: 1,
        connectMs: 60_000,
        firstTokenMs: 60_000,
        silenceMs: 60_000,
        answerMs: 600_000,
        retries: 0
      })
    )
    return (heard) =>
      runtime.runPromise(
        Effect.flatMap(Llm, (llm) =>
          llm.generate(ofTexts("m", PROMPT), heard, { partition: "bench", attempt: () => {}, moment: () => 0 })
        )
      )
  },
  "openai, by itself": async (baseURL) => {
    const client = new OpenAI({ apiKey: "k", baseURL, maxRetries: 0 })
    return async (heard) => {
      for await (const chunk of await client.chat.completions.create({ model: "m", stream: true, messages: PROMPT }))
        if (chunk.choices[0]?.delta.content) heard()
    }
  }
}

const measure = async (way: string, baseURL: string) => {
  const ask = await WAYS[way]?.(baseURL)
  if (ask === undefined) throw new Error(`no such way: ${way}`)
  await ask(() => {})
  const idle = held()
  let heard = 0
  const all = () => Promise.all(Array.from({ length: STREAMS }, () => ask(() => heard++)))
  // Warm: the compiler's own work is a server's first minute, not its life.
  await all()
  heard = 0
  const cpu = process.cpuUsage()
  await all()
  const { system, user } = process.cpuUsage(cpu)
  if (heard < STREAMS * TOKENS * 0.5) throw new Error(`${heard} tokens were heard`)
  const running = all()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const memory = (held() - idle) / STREAMS / 1000
  await running
  return { cpu: (user + system) / (STREAMS * TOKENS), memory }
}

/** Bytes that cannot be collected. */
const held = () => {
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const child = (...args: ReadonlyArray<string>) =>
  spawn(process.execPath, ["--expose-gc", SELF, ...args], { stdio: ["ignore", "pipe", "inherit"] })
const line = (process: ReturnType<typeof child>) =>
  new Promise<string>((resolve) => process.stdout.once("data", (bytes) => resolve(String(bytes).trim())))

const [mode = "20", ...rest] = process.argv.slice(2)
if (mode === "upstream") {
  const server = upstream(Number(rest[0]))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    if (address !== null && typeof address === "object") console.log(address.port)
  })
} else if (mode === "measure") {
  console.log(JSON.stringify(await measure(rest[0] ?? "", rest[1] ?? "")))
  process.exit(0)
} else {
  const provider = child("upstream", mode)
  const baseURL = `http://127.0.0.1:${await line(provider)}/v1`
  const ways = Object.keys(WAYS)
  const rows = new Map(ways.map((way) => [way, { cpu: [0].slice(1), memory: [0].slice(1) }]))
  for (let round = 0; round < Number(rest[0] ?? 3); round++) {
    for (const way of ways) {
      const { cpu, memory } = JSON.parse(await line(child("measure", way, baseURL)))
      rows.get(way)?.cpu.push(cpu)
      rows.get(way)?.memory.push(memory)
    }
  }
  const median = (numbers: ReadonlyArray<number>) =>
    numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
  console.log(`${STREAMS} streams of ${TOKENS} tokens, ${mode} ms apart; medians`)
  for (const [way, { cpu, memory }] of rows)
    console.log(
      `  ${way.padEnd(24)} ${median(cpu).toFixed(1).padStart(6)} µs a token ${median(memory).toFixed(0).padStart(6)} kB a stream`
    )
  provider.kill()
}
