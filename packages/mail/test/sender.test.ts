import { assert, describe, it } from "@effect/vitest"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { Pool } from "@llm-saas/database/connections/Pool"
import { MailOutbox } from "@llm-saas/database/MailOutbox"
import { makeOneTimeToken } from "@llm-saas/domain/OneTimeTokenText"
import { OneTimeTexts } from "@llm-saas/engine/accounts/OneTimeTexts"
import { mailServer } from "@llm-saas/testing/MailServer"
import { migrated, TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer, Redacted } from "effect"
import { layerWebCrypto as DigestLayer } from "effect/crypto/Digest"
import { layerWebCrypto as RandomLayer } from "effect/crypto/SecureRandom"
import { createHash, createHmac, randomUUID } from "node:crypto"
import { MailSender } from "../src/MailSender.ts"
import * as Smtp from "../src/Smtp.ts"

const textOf = (secret: string) => (id: string) => makeOneTimeToken(createHmac("sha256", secret).update(id).digest())

/** A process that sends, to a server at this port. */
const sender = (port: number, secret = "one") =>
  MailSender.layer({ product: "Acme AI", publicUrl: "https://app.example.com" }).pipe(
    Layer.provide(
      Smtp.layer(
        { host: "127.0.0.1", port, tls: false, login: undefined },
        { name: "", address: "no-reply@acme.example" }
      )
    ),
    Layer.provide(MailOutbox.layer),
    Layer.provide(
      Layer.unwrap(
        Effect.map(TestDatabase, ({ jobsUrl }) =>
          Pool.layer({ url: jobsUrl, size: 2, acquireTimeout: "5 seconds", waiting: 100 })
        )
      )
    ),
    Layer.provide([
      Layer.succeed(OneTimeTexts, { textOf: (id) => Redacted.make(textOf(secret)(id)) }),
      DigestLayer,
      RandomLayer
    ])
  )

const asAdmin = Effect.fnUntraced(function* (sql: string, values: ReadonlyArray<unknown> = []) {
  const { adminUrl } = yield* TestDatabase
  return yield* Effect.scoped(Effect.flatMap(connect(adminUrl), (connection) => rows(connection, sql, values)))
})

const write = Effect.fnUntraced(function* (address: string, secret?: string) {
  const [tenant, id] = [randomUUID(), randomUUID()]
  yield* asAdmin("insert into app.tenants (id, name) values ($1::uuid, 'Acme')", [tenant])
  const token = secret === undefined ? null : id
  if (secret !== undefined)
    yield* asAdmin(
      `insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
       values ($1::uuid, $2::uuid, 'email_verify', $2::uuid, $3, decode($4, 'hex'), now() + interval '1 day')`,
      [tenant, id, address, createHash("sha256").update(textOf(secret)(id)).digest("hex")]
    )
  yield* asAdmin(
    `insert into app.mails (tenant_id, id, address, template, token_id) values ($1::uuid, $2::uuid, $3, $4, $5::uuid)`,
    [tenant, id, address, token === null ? "password_changed" : "email_verify", token]
  )
  return id
})

const stateOf = (id: string) =>
  Effect.map(
    asAdmin(
      "select attempts, failure, ended_at is not null as ended, next_at > now() as later from app.mails where id = $1::uuid",
      [id]
    ),
    ([row]) => row
  )

/** A database of the test's own: senders of other tests take nothing out of it. */
const alone = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.flatMap(migrated, (database) => Effect.provideService(work, TestDatabase, database)).pipe(Effect.scoped)

const settledAs = (id: string, done: (row: unknown) => boolean) =>
  Effect.repeat(Effect.delay(stateOf(id), "50 millis"), { until: done })

const ended = (row: unknown) => typeof row === "object" && row !== null && "ended" in row && row.ended === true

describe("mails that wait", () => {
  it.live("are sent once, by any number of processes, with their links", () =>
    alone(
      Effect.gen(function* () {
        const server = yield* mailServer()
        const ids = yield* Effect.forEach(Array.from({ length: 12 }), (_, n) => write(`p${n}@example.com`, "one"))
        yield* Effect.all([Layer.build(sender(server.port)), Layer.build(sender(server.port))])
        for (let n = 0; n < ids.length; n++) {
          const { content } = yield* server.next(`p${n}@example.com`)
          const text = content.toString().replaceAll("=\r\n", "").replaceAll("=3D", "=")
          assert.include(text, `https://app.example.com/account/verify#token=${textOf("one")(ids[n] ?? "")}`)
        }
        for (const id of ids) assert.deepInclude(yield* settledAs(id, ended), { failure: null, attempts: 1 })
        assert.lengthOf(server.received, 12)
      })
    )
  )

  it.live("wait for a server that is away, are none the worse for it, and are sent when it is back", () =>
    alone(
      Effect.gen(function* () {
        const gone = yield* Effect.scoped(mailServer())
        const id = yield* write("ann@example.com")
        yield* Layer.build(sender(gone.port))
        const waiting = yield* settledAs(
          id,
          (row) => typeof row === "object" && row !== null && "later" in row && row.later === true
        )
        assert.deepInclude(waiting, { ended: false })
        const back = yield* mailServer({ port: gone.port })
        yield* Effect.forkScoped(
          Effect.forever(
            Effect.delay(asAdmin("update app.mails set next_at = now() where worker is null"), "200 millis")
          )
        )
        yield* back.next("ann@example.com")
        assert.deepInclude(yield* settledAs(id, ended), { failure: null, attempts: 1 })
      })
    )
  )

  it.live("are given up where the server refuses them, tried later where it does not take them now", () =>
    alone(
      Effect.gen(function* () {
        const refusing = yield* mailServer({ recipient: 550 })
        const refused = yield* write("ann@example.com")
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Layer.build(sender(refusing.port))
            assert.deepInclude(yield* settledAs(refused, ended), { failure: "550 to RCPT TO" })
          })
        )
        const busy = yield* mailServer({ recipient: 451 })
        const later = yield* write("bob@example.com")
        yield* Layer.build(sender(busy.port))
        const row = yield* settledAs(
          later,
          (row) => typeof row === "object" && row !== null && "attempts" in row && row.attempts === 1
        )
        assert.deepInclude(row, { ended: false, later: true })
      })
    )
  )

  it.live("whose link would lead nowhere, since SECRET_KEY is another one, are not sent", () =>
    alone(
      Effect.gen(function* () {
        const server = yield* mailServer()
        const id = yield* write("ann@example.com", "one")
        yield* Layer.build(sender(server.port, "two"))
        assert.deepInclude(yield* settledAs(id, ended), { failure: "SECRET_KEY has changed" })
        assert.lengthOf(server.received, 0)
      })
    )
  )

  it.live("of a process that was lost are sent by another one, once its claim is over", () =>
    alone(
      Effect.gen(function* () {
        const server = yield* mailServer()
        const id = yield* write("ann@example.com")
        yield* asAdmin(
          "update app.mails set worker = gen_random_uuid(), attempts = 1, next_at = now() + interval '1 second'"
        )
        yield* Layer.build(sender(server.port))
        yield* server.next("ann@example.com")
        assert.deepInclude(yield* settledAs(id, ended), { failure: null, attempts: 2 })
      })
    )
  )
})
