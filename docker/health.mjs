// The container's health check: exit code 0 when the server beside us answers. Whether its database does is /ready's to say, and
// no reason to restart a server.
import { get } from "node:http"

const request = get(
  { host: "127.0.0.1", port: process.env.PORT || 8000, path: "/health", timeout: 2500, agent: false },
  (response) => process.exit(response.statusCode === 200 ? 0 : 1)
)
request.on("timeout", () => request.destroy())
request.on("error", () => process.exit(1))
