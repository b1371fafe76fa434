/**
 * A provider as OpenAI's API sends answers: TOKENS tokens, the first at once, the others each DELAY ms after the one before; without a
 * delay all of them in one write. A token that is late does not make the next one later. `GET /pace?tokens=20&delay=0` changes both. A
 * process of its own, so that its CPU is its own.
 */
import { createServer, type ServerResponse } from "node:http"

const { DELAY = "20", PORT, TOKENS = "50" } = process.env
let [delay, tokens] = [Number(DELAY), Number(TOKENS)]

const about = {
  id: "chatcmpl-0123456789abcdefghijklmnopqrs",
  created: 1_790_000_000,
  model: "gpt-4o-mini-2024-07-18",
  service_tier: "default",
  system_fingerprint: "fp_0123456789"
}
const chunk = (choices: ReadonlyArray<object>, usage: object | null) =>
  `data: ${JSON.stringify({ ...about, object: "chat.completion.chunk", choices, usage })}\n\n`
const frame = (delta: object, finish_reason: string | null) =>
  chunk([{ index: 0, delta, logprobs: null, finish_reason }], null)

// LiteLLM takes an answer of equal tokens for a loop, and fails it.
const WORDS = ["A", " room", " is", " where", " one", " tenant", "'s", " rows", " are", "."]
const frames = WORDS.map((content) => frame({ content }, null))
const tokensOf = <A>(of: ReadonlyArray<A>, count: number) =>
  Array.from({ length: count }, (_, index) => of[index % of.length])
const finish = frame({}, "stop")
const DONE = "data: [DONE]\n\n"
const usageNow = () => ({ prompt_tokens: 12, completion_tokens: tokens, total_tokens: 12 + tokens })
const endNow = (counted: boolean) => finish + (counted ? chunk([], usageNow()) : "") + DONE

const whole = () => {
  const message = { role: "assistant", content: tokensOf(WORDS, tokens).join(""), refusal: null, annotations: [] }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }]
  return JSON.stringify({ ...about, object: "chat.completion", choices, usage: usageNow() })
}

const stream = (response: ServerResponse, counted: boolean) => {
  const [count, pace, end] = [tokens, delay, endNow(counted)]
  response.writeHead(200, { "content-type": "text/event-stream" })
  if (pace === 0) return void response.end(tokensOf(frames, count).join("") + end)
  const started = performance.now()
  let sent = 0
  const write = () => {
    response.write(frames[sent % frames.length])
    if (++sent === count) response.end(end)
    else setTimeout(write, Math.max(0, started + sent * pace - performance.now()))
  }
  write()
}

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://provider")
  if (pathname === "/pace") [tokens, delay] = [Number(searchParams.get("tokens")), Number(searchParams.get("delay"))]
  if (request.method === "GET") return void response.end("{}")
  let text = ""
  request.setEncoding("utf8")
  request.on("data", (more: string) => {
    text += more
  })
  request.on("end", () => {
    const asked = JSON.parse(text) as { stream?: boolean; stream_options?: { include_usage?: boolean } }
    if (asked.stream === true) return stream(response, asked.stream_options?.include_usage === true)
    const body = whole()
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    response.end(body)
  })
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
