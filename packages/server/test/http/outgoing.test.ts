import { assert, layer } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { HttpOutgoingLayer } from "../../src/http/HttpOutgoing.ts"

/** A server for as long as the scope is open. */
const serving = (answer: (request: IncomingMessage, response: ServerResponse, text: string) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => {
        let text = ""
        request.on("data", (chunk) => (text += chunk))
        request.on("end", () => answer(request, response, text))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

layer(HttpOutgoingLayer, { excludeTestServices: true })("a request of ours", (it) => {
  it.effect("is sent and answered whole, over a connection that is kept", () =>
    Effect.gen(function* () {
      const ports = new Set<unknown>()
      const { url } = yield* serving((request, response, text) => {
        ports.add(request.socket.remotePort)
        response
          .writeHead(201, { "retry-after": "7" })
          .end(`${request.method} ${request.url} ${request.headers["content-type"]} ${text}`)
      })
      const client = yield* HttpClient.HttpClient
      for (const word of ["eins", "zwei", "drei ✓"]) {
        const response = yield* client.execute(
          HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${url}/a?b=c`), { word })
        )
        assert.strictEqual(response.status, 201)
        assert.strictEqual(response.headers["retry-after"], "7")
        assert.strictEqual(yield* response.text, `POST /a?b=c application/json {"word":"${word}"}`)
      }
      assert.strictEqual(ports.size, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("fails with Node's own reason: no server there, cut, or an answer without an end", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const reasonOf = (url: string) =>
        Effect.map(Effect.flip(Effect.flatMap(client.get(url), (response) => response.text)), ({ reason }) =>
          "cause" in reason ? String(Object(reason.cause)["code"] ?? Object(reason.cause)["message"]) : ""
        )
      const { close, url } = yield* serving((request, response) => {
        if (request.url === "/cut") request.socket.destroy()
        else {
          response.writeHead(200)
          for (let n = 0; n < 100; n++) response.write("x".repeat(100_000))
        }
      })
      assert.strictEqual(yield* reasonOf(`${url}/cut`), "ECONNRESET")
      assert.match(yield* reasonOf(`${url}/endless`), /too long|aborted/u)
      close()
      assert.strictEqual(yield* reasonOf(url), "ECONNREFUSED")
    }).pipe(Effect.scoped)
  )

  it.effect("is aborted when its caller stops waiting", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const gone = yield* Deferred.make<void>()
      const { url } = yield* serving((request) => {
        Deferred.doneUnsafe(arrived, Effect.void)
        request.socket.once("close", () => Deferred.doneUnsafe(gone, Effect.void))
      })
      const client = yield* HttpClient.HttpClient
      yield* Effect.raceFirst(client.get(url), Deferred.await(arrived))
      yield* Deferred.await(gone)
    }).pipe(Effect.scoped)
  )
})
