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
  /** Default: one that is free. */
  readonly port?: number
}

/** A mail that arrived. */
export interface Received {
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly content: Buffer
}

/** A server that runs. */
export interface MailServer {
  readonly port: number
  readonly received: ReadonlyArray<Received>
  /** The first of the mails to this address that no one has asked for yet, as soon as it is there. */
  readonly next: (to: string) => Effect.Effect<Received>
}

/** Says an address, so that a test sees whether it goes on to where it must not. */
const refusal = (code: number) => Object.assign(new Error("not for secret@example.com"), { responseCode: code })

const answer = (code: number | undefined, callback: (error?: Error) => void) =>
  code === undefined ? callback() : callback(refusal(code))

/** A real SMTP server on loopback, while the scope is open. */
export const mailServer = Effect.fnUntraced(function* (options: MailServerOptions = {}) {
  const received: Array<Received> = []
  const asked = new Set<Received>()
  const waiting = new Set<() => void>()
  const server = yield* Effect.acquireRelease(
    Effect.callback<SMTPServer>((resume) => {
      const server = new SMTPServer({
        authOptional: true,
        // A client keeps its connections for a while.
        closeTimeout: 200,
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
            for (const look of waiting) look()
          })
        }
      })
      server.on("error", () => {})
      server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const next = (to: string) =>
    Effect.callback<Received>((resume) => {
      const look = () => {
        const found = received.find((mail) => mail.to.includes(to) && !asked.has(mail))
        if (found === undefined) return
        asked.add(found)
        waiting.delete(look)
        resume(Effect.succeed(found))
      }
      waiting.add(look)
      look()
      return Effect.sync(() => void waiting.delete(look))
    })
  const address: AddressInfo | string | null = server.server.address()
  const mails: MailServer = { port: typeof address === "object" && address !== null ? address.port : 0, received, next }
  return mails
})
