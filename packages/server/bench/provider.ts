/**
 * A provider as OpenAI's API sends answers: 50 tokens, the first at once, the others each DELAY ms after the one before. A token that is
 * late does not make the next one later. A process of its own, so that its CPU is its own.
 */
import { createServer } from "node:http"

const { DELAY = "20", PORT, TOKENS = "50" } = process.env
const [delay, tokens] = [Number(DELAY), Number(TOKENS)]

const frame = (delta: object, finish_reason: string | null) =>
  `data: ${JSON.stringify({ id: "chatcmpl-0123456789abcdefghijklmnopqrs", object: "chat.completion.chunk", created: 1_790_000_000, model: "gpt-4o-mini-2024-07-18", service_tier: "default", system_fingerprint: "fp_0123456789", choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null })}\n\n`

const token = frame({ content: " token" }, null)
const end = `${frame({}, "stop")}data: [DONE]\n\n`

createServer((request, response) => {
  if (request.url === "/health") {
    response.end("{}")
    return
  }
  request.resume()
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    const started = performance.now()
    let sent = 0
    const write = () => {
      response.write(token)
      if (++sent === tokens) response.end(end)
      else setTimeout(write, Math.max(0, started + sent * delay - performance.now()))
    }
    write()
  })
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
