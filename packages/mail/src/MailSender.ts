import { type DueMail, MailOutbox, type MailOutcome } from "@llm-saas/database/MailOutbox"
import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import { MailContent } from "@llm-saas/domain/Mail"
import { TenantId } from "@llm-saas/domain/Tenant"
import { OneTimeTexts } from "@llm-saas/engine/accounts/OneTimeTexts"
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { MailFailed } from "./MailFailed.ts"
import { MailTransport } from "./MailTransport.ts"
import { render } from "./Rendering.ts"
import type { MailFrame } from "./Templates.ts"

/** What all mails say of this installation. */
export type MailSenderOptions = Pick<MailFrame, "product" | "publicUrl">

/** Mails claimed at a time, and sent at once. */
const AT_A_TIME = 9
const AT_ONCE = 3
/** Duration of a claim: three mails after each other, each with the time that a transport has for one. */
const LEASE_SECONDS = 300
/** Milliseconds before the next look after one that found nothing. */
const IDLE_MS = 1000
/** Pause (ms) after a failure of the whole server, doubled with each further one. */
const PAUSE_MS = { first: 1000, most: 60_000 }
/** Seconds until a mail that was not to blame is due again: others are tried before. */
const AGAIN_SECONDS = 30
/** Seconds until a mail that the server did not take is due again, doubled each time, and how often it is tried. */
const OWN_SECONDS = { first: 60, most: 3600 }
const MOST_ATTEMPTS = 20
/** A loop without a finished round for this long is dead or hangs. */
const LATE = "15 minutes"

/** Counts of this process. */
export interface MailCount {
  sent: number
  failed: number
}

/**
 * Sends the mails of the outbox in the background: each at least once, and nearly always once. Any number of processes may run it. A mail
 * that the server refuses is given up, one that it does not take now is tried for two days, and an outage of the whole server is none of
 * the mails' fault. Tenants take turns.
 */
export class MailSender extends Context.Service<MailSender, { readonly count: () => Readonly<MailCount> }>()(
  "@llm-saas/mail/MailSender"
) {
  static readonly layer = (options: MailSenderOptions) => Layer.effect(MailSender, make(options))
}

const make = Effect.fnUntraced(function* ({ product, publicUrl }: MailSenderOptions) {
  const outbox = yield* MailOutbox
  const transport = yield* MailTransport
  const texts = yield* OneTimeTexts
  const digest = yield* Digest
  const server = yield* dependency("mail")
  const worker = yield* (yield* SecureRandom).uuidV7()
  const count: MailCount = { sent: 0, failed: 0 }
  let after = NOBODY
  let troubles = 0

  /** The token's text, unless the secret key is another one by now: its link would not work. */
  const tokenOf = Effect.fnUntraced(function* (mail: DueMail) {
    if (mail.token_id === null) return undefined
    const text = texts.textOf(mail.token_id)
    const hash = yield* Effect.orDie(digest.digestHex(sha256, new TextEncoder().encode(Redacted.value(text))))
    if (hash !== mail.token_hash) return yield* new MailFailed({ reason: "refused", detail: "SECRET_KEY has changed" })
    return { text, minutes: mail.token_minutes ?? 0 }
  })

  const send = Effect.fnUntraced(function* (mail: DueMail) {
    const content = contentOf(mail)
    // A newer program's: it is sent by that one.
    if (Option.isNone(content)) return yield* new MailFailed({ reason: "busy", detail: "an unknown template" })
    const token = yield* tokenOf(mail)
    const rendered = render(content.value, { product, publicUrl, tenant: mail.tenant_name, token })
    yield* transport.send({
      id: mail.id,
      template: mail.template,
      createdAt: mail.created_at,
      to: mail.address,
      ...rendered
    })
  })

  const settled = (mail: DueMail, outcome: MailOutcome) => outbox.settle(worker, mail, outcome)

  /** Sends one, and stores what became of it. Returns the failure of the whole server. */
  const deliver = Effect.fnUntraced(
    function* (mail: DueMail) {
      const failure = yield* Effect.match(send(mail), { onSuccess: () => undefined, onFailure: (failed) => failed })
      if (failure?.reason === "server") {
        yield* settled(mail, { outcome: "later", seconds: AGAIN_SECONDS, counts: false })
        return failure
      }
      const outcome = outcomeOf(mail, failure)
      yield* settled(mail, outcome)
      if (outcome.outcome === "sent") count.sent++
      if (outcome.outcome === "failed") {
        count.failed++
        yield* Effect.logWarning(`a mail (${mail.template}, ${mail.id}) was given up: ${outcome.reason}`)
      }
      return undefined
    },
    (effect, mail) =>
      Effect.onInterrupt(effect, () =>
        Effect.ignore(settled(mail, { outcome: "later", seconds: AGAIN_SECONDS, counts: false }))
      )
  )

  const round = Effect.gen(function* () {
    // While the server is away, one mail at a time tries it.
    const limit = troubles > 0 ? 1 : AT_A_TIME
    const mails = yield* outbox.claim({ worker, after, limit, seconds: LEASE_SECONDS })
    after = mails.at(-1)?.tenant_id ?? NOBODY
    if (mails.length === 0) return yield* Effect.sleep(IDLE_MS)
    const failures = yield* Effect.forEach(mails, deliver, { concurrency: AT_ONCE })
    const failure = failures.find((each) => each !== undefined)
    if (failure === undefined) {
      troubles = 0
      return yield* server.worked
    }
    yield* server.failed(failure.detail)
    const pause = Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** troubles)
    troubles++
    yield* Effect.sleep(pause)
    // The database's outage is logged elsewhere; a mail whose outcome was not stored is sent once more.
  }).pipe(Effect.catchTag("Unavailable", () => Effect.sleep(IDLE_MS * 2)))

  yield* repeat({ name: "the sending of mails", late: LATE }, round)
  return MailSender.of({ count: () => count })
})

/** Before every tenant. */
const NOBODY = TenantId.make("00000000-0000-0000-0000-000000000000")

const outcomeOf = ({ attempts }: DueMail, failure: MailFailed | undefined): MailOutcome => {
  if (failure === undefined) return { outcome: "sent" }
  if (failure.reason === "refused" || attempts >= MOST_ATTEMPTS) return { outcome: "failed", reason: failure.detail }
  const seconds = Math.min(OWN_SECONDS.most, OWN_SECONDS.first * 2 ** (attempts - 1))
  return { outcome: "later", seconds, counts: true }
}

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))
const decodeContent = Schema.decodeUnknownOption(MailContent)

const contentOf = ({ data, template }: DueMail): Option.Option<MailContent> =>
  Option.flatMap(decodeJson(data), (members) => decodeContent({ ...members, template }))
