import { DateTime, Effect, FileSystem, Layer, Predicate } from "effect"
import { createTransport } from "nodemailer"
import { MailFailed } from "./MailFailed.ts"
import { MailTransport, type OutgoingMail } from "./MailTransport.ts"
import { messageOf, type Sender } from "./Message.ts"

/**
 * Mails as files, for a machine without a mail server. Their names are in the log, so that a developer finds the link; what they say is
 * not. Readable by the owner only: a file may contain a token. A mail that is written twice makes one file.
 */
export const layer = (directory: string, from: Sender) =>
  Layer.effect(
    MailTransport,
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const transport = createTransport({ streamTransport: true, buffer: true, newline: "unix" })
      const compose = (mail: OutgoingMail) =>
        messageOf(mail, from).pipe(
          Effect.flatMap((message) =>
            Effect.tryPromise({
              try: () => transport.sendMail(message),
              catch: () => new MailFailed({ reason: "refused", detail: "it cannot be composed" })
            })
          ),
          Effect.flatMap(({ message }) => (Predicate.isUint8Array(message) ? Effect.succeed(message) : NO_BUFFER))
        )

      return MailTransport.of({
        send: Effect.fn("MailFiles.send")(function* (mail) {
          const message = yield* compose(mail)
          const path = `${directory}/${nameOf(mail)}`
          yield* files.makeDirectory(directory, { recursive: true, mode: 0o700 }).pipe(
            Effect.andThen(files.writeFile(`${path}.draft`, message, { mode: 0o600 })),
            Effect.andThen(files.rename(`${path}.draft`, path)),
            Effect.mapError(({ reason }) => new MailFailed({ reason: "server", detail: reason._tag }))
          )
          yield* Effect.logInfo(`there is no mail server (SMTP_URL): a mail was written to ${path}`)
        })
      })
    })
  )

const NO_BUFFER = Effect.die(new Error("nodemailer composed no buffer"))

/** `20261129T210824Z-password_reset-0197…eml`: in the order of time. */
const nameOf = ({ createdAt, id, template }: OutgoingMail): string => {
  const time = DateTime.formatIso(createdAt).replace(/\.\d+/u, "").replace(/[-:]/gu, "")
  return `${time}-${template}-${id.slice(-12)}.eml`
}
