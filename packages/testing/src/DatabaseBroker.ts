import { Effect, Redacted, Schema, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { TestDatabaseFailed } from "./TestDatabaseFailed.ts"

/** What a test file needs to create databases. */
export interface DatabaseSupply {
  /** The administrator's URL. */
  readonly server: Redacted.Redacted
  /** The migrated database to copy. */
  readonly template: string
  /** The password of the program's own logins. */
  readonly password: Redacted.Redacted
}

const Answer = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({ server: Schema.String, template: Schema.String, password: Schema.String }),
    Schema.Struct({ failure: Schema.String })
  ])
)

/**
 * Answers the test processes of one run, on loopback and on an unguessable path. The server starts at the first request, so that a run of
 * unit tests starts none. Returns the address.
 */
export const open = Effect.fnUntraced(function* (
  supply: Effect.Effect<DatabaseSupply, TestDatabaseFailed>
): Effect.fn.Return<string, TestDatabaseFailed, Scope.Scope> {
  const services = yield* Effect.context<never>()
  const once = yield* Effect.cached(supply)
  const path = `/${randomBytes(24).toString("base64url")}`
  const reply = once.pipe(
    Effect.map(({ password, server, template }) => ({
      server: Redacted.value(server),
      template,
      password: Redacted.value(password)
    })),
    Effect.catch(({ message }) => Effect.succeed({ failure: message })),
    Effect.flatMap(Schema.encodeEffect(Answer)),
    Effect.orDie
  )
  const broker = createServer((request, response) => {
    if (request.url === path) {
      Effect.runCallbackWith(services)(reply, {
        onExit: (exit) =>
          exit._tag === "Success" ? response.end(exit.value) : response.writeHead(500).end(String(exit.cause))
      })
    } else response.writeHead(404).end()
  })
  return yield* Effect.acquireRelease(
    Effect.callback<string, TestDatabaseFailed>((resume) => {
      broker.once("error", ({ message }) => resume(Effect.fail(new TestDatabaseFailed({ message }))))
      broker.listen(0, "127.0.0.1", () => {
        const address = broker.address()
        resume(
          Effect.succeed(
            `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}${path}`
          )
        )
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        broker.close(() => resume(Effect.void))
        broker.closeAllConnections()
      })
  )
})

/** Asks this run's broker. Waits while the server starts. */
export const ask = (address: string): Effect.Effect<DatabaseSupply, TestDatabaseFailed> =>
  Effect.tryPromise({
    try: (signal) => fetch(address, { signal }).then((response) => response.text()),
    catch: () => new TestDatabaseFailed({ message: "the broker of this test run does not answer" })
  }).pipe(
    Effect.flatMap((text) => Effect.orDie(Schema.decodeEffect(Answer)(text))),
    Effect.flatMap((answer) =>
      "failure" in answer
        ? Effect.fail(new TestDatabaseFailed({ message: answer.failure }))
        : Effect.succeed({
            server: Redacted.make(answer.server),
            template: answer.template,
            password: Redacted.make(answer.password)
          })
    )
  )
