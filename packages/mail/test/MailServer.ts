import { Effect } from "effect"
import type { AddressInfo } from "node:net"
import { SMTPServer } from "smtp-server"

/** What the server refuses, by the code of its answer. */
export interface MailServerOptions {
  readonly sender?: number
  readonly recipient?: number
  readonly data?: number
  /** Credentials in the client's URL: the server takes no login but `ann:right`. */
  readonly login?: string
}

/** A mail that arrived. */
export interface Received {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly content: Buffer
}

const refusal = (code: number) => Object.assign(new Error(`not for secret@example.com`), { responseCode: code })

const answer = (code: number | undefined, callback: (error?: Error) => void) =>
  code === undefined ? callback() : callback(refusal(code))

/** A real SMTP server on loopback, while the scope is open. */
export const mailServer = Effect.fnUntraced(function* (options: MailServerOptions = {}) {
  const received: Array<Received> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<SMTPServer>((resume) => {
      const server = new SMTPServer({
        authOptional: true,
        allowInsecureAuth: true,
        disabledCommands: ["STARTTLS"],
        onAuth: ({ password, username }, _session, callback) =>
          username === "ann" && password === "right"
            ? callback(null, { user: "ann" })
            : callback(new Error("no such login")),
        onMailFrom: (_address, _session, callback) => answer(options.sender, callback),
        onRcptTo: (_address, _session, callback) => answer(options.recipient, callback),
        onData: (stream, { envelope }, callback) => {
          const parts: Array<Buffer> = []
          stream.on("data", (part: Buffer) => void parts.push(part))
          stream.on("end", () => {
            if (options.data !== undefined) return callback(refusal(options.data))
            received.push({
              from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
              to: envelope.rcptTo.map(({ address }) => address),
              content: Buffer.concat(parts)
            })
            callback()
          })
        }
      })
      server.on("error", () => {})
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const address: AddressInfo | string | null = server.server.address()
  return { port: typeof address === "object" && address !== null ? address.port : 0, received }
})
