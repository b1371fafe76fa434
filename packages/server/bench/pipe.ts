/** A proxy on node:http that sends the question on to PROVIDER and pipes the answer's bytes back, unread. Nothing is checked or kept. */
import { Agent, createServer, request } from "node:http"

const { PORT, PROVIDER = "" } = process.env
const agent = new Agent({ keepAlive: true })

createServer((asked, answer) => {
  if (asked.url === "/health") {
    answer.end("{}")
    return
  }
  const headers = { "content-type": "application/json", "transfer-encoding": "chunked" }
  const out = request(`${PROVIDER}/chat/completions`, { method: "POST", agent, headers }, (response) => {
    answer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" })
    response.pipe(answer)
  })
  asked.pipe(out)
  out.on("error", () => answer.destroy())
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
