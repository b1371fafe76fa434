import { createServer } from "node:http"

// MLflow as fast as can be: it answers what it is asked and keeps nothing. A process of its own, so that its CPU is its own.
let runs = 0
let traces = 0
const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => {
    const path = request.url ?? ""
    const body =
      path === "/health"
        ? "OK"
        : path === "/version"
          ? "3.17.2"
          : path === "/count"
            ? JSON.stringify({ runs, traces })
            : path.startsWith("/api/2.0/mlflow/experiments")
              ? '{"experiment":{"experiment_id":"1","lifecycle_stage":"active"}}'
              : path.endsWith("/runs/create")
                ? `{"run":{"info":{"run_id":"${++runs}"}}}`
                : "{}"
    if (path === "/v1/traces") traces++
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body)
  })
})
server.listen(Number(process.env["PORT"]), "127.0.0.1")
process.once("SIGTERM", () => {
  server.close()
  server.closeAllConnections()
})
