import { Effect, Layer, Predicate, Redacted } from "effect"
import { createTransport } from "nodemailer"
import { MailFailed } from "./MailFailed.ts"
import { MailTransport } from "./MailTransport.ts"
import { messageOf, type Sender } from "./Message.ts"

/** The server, as `smtp://user:password@host:587` or `smtps://…:465` names it. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (RFC 8314 §3.3). Else it begins by STARTTLS, where the server offers it. */
  readonly tls: boolean
  readonly login: { readonly user: string; readonly password: Redacted.Redacted } | undefined
}

/** Reads the URL of a server. Undefined: it is none. Nothing of it is repeated in an error. */
export const serverOf = (text: string): SmtpServer | undefined => {
  const url = /^smtps?:\/\//u.test(text) ? URL.parse(text) : null
  if (url === null || url.hostname === "" || url.search !== "" || url.hash !== "" || !/^\/?$/u.test(url.pathname))
    return undefined
  const tls = url.protocol === "smtps:"
  const [user, password] = [decode(url.username), decode(url.password)]
  if (user === undefined || password === undefined) return undefined
  return {
    host: url.hostname.replace(/^\[(.*)\]$/u, "$1"),
    port: url.port === "" ? (tls ? 465 : 587) : Number(url.port),
    tls,
    login: user === "" ? undefined : { user, password: Redacted.make(password) }
  }
}

const decode = (text: string): string | undefined => {
  const [broken] = text.match(/%(?![0-9a-f]{2})/iu) ?? []
  return broken === undefined && URL.canParse(`http://${text}@h/`) ? decodeURIComponent(text) : undefined
}

/** Connections at most, and milliseconds that each step may take. */
const CONNECTIONS = 3
const STEP_MS = 10_000
const SILENCE_MS = 30_000
/** Milliseconds that a mail may take. */
const MAIL_MS = 90_000

/** A password goes over TLS only, but to this machine itself. */
const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/u.test(host)

/** Mails by SMTP (RFC 5321), over a few connections that are kept while there are mails. */
export const layer = (server: SmtpServer, from: Sender) =>
  Layer.effect(
    MailTransport,
    Effect.gen(function* () {
      const { host, login, port, tls } = server
      const transport = yield* Effect.acquireRelease(
        Effect.sync(() =>
          createTransport({
            pool: true,
            host,
            port,
            secure: tls,
            requireTLS: !tls && login !== undefined && !isLoopback(host),
            ...(login === undefined ? {} : { auth: { user: login.user, pass: Redacted.value(login.password) } }),
            maxConnections: CONNECTIONS,
            // A mail that may have arrived is sent again by us, after a while.
            maxRequeues: 0,
            idleTimeout: SILENCE_MS,
            connectionTimeout: STEP_MS,
            greetingTimeout: STEP_MS,
            dnsTimeout: STEP_MS,
            socketTimeout: SILENCE_MS,
            disableFileAccess: true,
            disableUrlAccess: true
          })
        ),
        (open) => Effect.sync(() => open.close())
      )
      return MailTransport.of({
        send: (mail) =>
          messageOf(mail, from).pipe(
            Effect.flatMap((message) =>
              Effect.tryPromise({ try: () => transport.sendMail(message), catch: failureOf })
            ),
            Effect.timeoutOrElse({
              duration: MAIL_MS,
              orElse: () => Effect.fail(new MailFailed({ reason: "server", detail: "no answer in time" }))
            }),
            Effect.asVoid
          )
      })
    })
  )

/** Commands whose refusal concerns this one mail: its address, or its content. */
const OWN = new Set(["RCPT TO", "DATA"])

/** What nodemailer says about a failure, in our words. */
export const failureOf = (error: unknown): MailFailed => {
  const code = Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : "unknown"
  const command = Predicate.hasProperty(error, "command") && typeof error.command === "string" ? error.command : ""
  const status =
    Predicate.hasProperty(error, "responseCode") && typeof error.responseCode === "number" ? error.responseCode : 0
  const detail = status === 0 ? code : `${status} to ${/^[A-Z ]{1,20}$/u.test(command) ? command : "a command"}`
  // 421 (RFC 5321 §3.8): the server closes the connection, whatever the command.
  if (!OWN.has(command) || status < 400 || status === 421) return new MailFailed({ reason: "server", detail })
  return new MailFailed({ reason: status < 500 ? "busy" : "refused", detail })
}
