import { type MailServer, mailServer } from "@llm-saas/testing/MailServer"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Layer, Redacted } from "effect"
import PostalMime from "postal-mime"
import { Running, running } from "./Running.ts"

/** A mail as a person reads it. */
export interface ReadMail {
  readonly subject: string
  readonly text: string
  /** The token of its link; empty without one. */
  readonly token: string
}

/** Where the mails of the program arrive. */
export class Inbox extends Context.Service<
  Inbox,
  {
    /** The next mail to this address, which is read once. */
    readonly next: (to: string) => Effect.Effect<ReadMail>
    /** How many arrived for it so far. */
    readonly count: (to: string) => number
  }
>()("test/Inbox") {}

const inboxOf = (server: MailServer): Inbox["Service"] => ({
  next: (to) =>
    Effect.flatMap(server.next(to), ({ content }) =>
      Effect.promise(async () => {
        const { html, subject, text } = await PostalMime.parse(content)
        const token = /#token=(ot_\w+)/u.exec(text ?? "")?.[1] ?? ""
        if (token !== "" && html?.includes(token) !== true) throw new Error("the HTML has no link")
        return { subject: subject ?? "", text: text ?? "", token }
      })
    ),
  count: (to) => server.received.filter((mail) => mail.to.includes(to)).length
})

/** The program with a mail server, and the login of the jobs, which sends. */
export const withInbox = (variables: Record<string, string> = {}) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { jobsUrl } = yield* TestDatabase
      const server = yield* mailServer()
      const program = yield* running({
        SMTP_URL: `smtp://127.0.0.1:${server.port}`,
        MAIL_FROM: "Acme AI <no-reply@acme.example>",
        PUBLIC_URL: "https://app.acme.example",
        DATABASE_JOBS_URL: Redacted.value(jobsUrl),
        ...variables
      })
      return Context.make(Running, program).pipe(Context.add(Inbox, inboxOf(server)))
    })
  ).pipe(Layer.provideMerge(TestDatabase.layer))
