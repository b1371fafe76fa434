/**
 * Server-sent events as a careful person would write them on node:http: each token, in a frame with its id, is one write, as soon as
 * it comes. No token check, no database, no limits, nothing kept, nothing to resume. DELAY is the time between tokens in ms (none at /now); as with
 * the mock model, a token that is late does not make the next one later.
 */
import { createServer } from "node:http"

const { DELAY = "0", PORT, TOKENS = "200" } = process.env
const tokens = Number(TOKENS)
const id = "01900000-0000-7000-8000-000000000000"

createServer((request, response) => {
  if (request.url === "/health") {
    response.end("{}")
    return
  }
  request.resume()
  const delay = request.url === "/now" ? 0 : Number(DELAY)
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no"
  })
  const started = performance.now()
  let seq = 0
  const write = () => {
    seq++
    response.write(`id: ${id}:${seq}\ndata: word${seq % 10} \n\n`)
    if (seq === tokens) response.end("data: [DONE]\n\n")
    else if (delay > 0) setTimeout(write, Math.max(0, started + (seq + 1) * delay - performance.now()))
    else setImmediate(write)
  }
  if (delay > 0) setTimeout(write, delay)
  else write()
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
