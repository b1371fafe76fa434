import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { MailOutbox } from "@llm-saas/database/MailOutbox"
import * as MailFiles from "@llm-saas/mail/MailFiles"
import { MailSender } from "@llm-saas/mail/MailSender"
import { senderOf } from "@llm-saas/mail/Message"
import * as Smtp from "@llm-saas/mail/Smtp"
import { Effect, Layer, Redacted } from "effect"
import { layerWebCrypto as DigestLayer } from "effect/crypto/Digest"
import { layerWebCrypto as RandomLayer } from "effect/crypto/SecureRandom"
import { join } from "node:path"
import { OneTimeTextsLayer } from "../auth/OneTimeTexts.ts"
import { Settings } from "../config/Settings.ts"
import { JobsLogin, JobsPoolLayer } from "../Database.ts"
import { availability, total } from "../metrics/Gauge.ts"

/**
 * Sends mails in the background, with the jobs' login: a process that serves requests must not read the addresses of all tenants. Where
 * that login is not known, mails stay in the database until a process that knows it sends them.
 */
export const MailerLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { APP_ENV, APP_NAME, METRICS_PORT, PUBLIC_URL, SMTP_URL, ...settings } = yield* Settings
    const { url } = yield* JobsLogin
    if (url === undefined) {
      yield* Effect.logWarning("DATABASE_JOBS_URL is not set: no mails are sent by this process")
      return Layer.empty
    }
    const from = senderOf(settings.MAIL_FROM) ?? { name: "", address: settings.MAIL_FROM }
    const server = SMTP_URL === undefined ? undefined : Smtp.serverOf(Redacted.value(SMTP_URL))
    const directory = join(settings.DATA_DIR, "mail")
    if (server === undefined && APP_ENV === "production")
      yield* Effect.logWarning(`SMTP_URL is not set: mails are written to ${directory}, and reach nobody`)
    return (METRICS_PORT === undefined ? Layer.empty : Gauges).pipe(
      Layer.provideMerge(MailSender.layer({ product: APP_NAME, publicUrl: PUBLIC_URL })),
      Layer.provide(
        server === undefined
          ? Layer.provide(MailFiles.layer(directory, from), NodeFileSystem.layer)
          : Smtp.layer(server, from)
      ),
      Layer.provide([MailOutbox.layer, OneTimeTextsLayer, DigestLayer, RandomLayer]),
      Layer.provide(JobsPoolLayer)
    )
  })
)

const Gauges = Layer.effectDiscard(
  Effect.gen(function* () {
    const { count } = yield* MailSender
    yield* total("mails_sent_total", "Mails sent by this process.", () => count().sent)
    yield* total("mails_failed_total", "Mails given up by this process.", () => count().failed)
    yield* availability("mail")
  })
)
