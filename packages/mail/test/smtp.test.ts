import { assert, describe, it } from "@effect/vitest"
import { MailId } from "@llm-saas/domain/Mail"
import { DateTime, Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import PostalMime from "postal-mime"
import { MailTransport, type OutgoingMail } from "../src/MailTransport.ts"
import { senderOf } from "../src/Message.ts"
import * as Smtp from "../src/Smtp.ts"
import { mailServer, type MailServerOptions } from "@llm-saas/testing/MailServer"

const FROM = { name: "Acme, Inc.", address: "no-reply@acme.example" }

const mail = (to = "ann@example.com"): OutgoingMail => ({
  id: MailId.make(randomUUID()),
  template: "password_changed",
  createdAt: DateTime.makeUnsafe("2026-11-29T21:08:24Z"),
  to,
  subject: "Grüße",
  text: Redacted.make("Hello, Ann.\n"),
  html: Redacted.make("<p>Hello, Ann.</p>")
})

const sending = Effect.fnUntraced(function* (options: MailServerOptions, ...mails: ReadonlyArray<OutgoingMail>) {
  const server = yield* mailServer(options)
  const url = Smtp.serverOf(`smtp://${options.login ?? ""}127.0.0.1:${server.port}`)
  if (url === undefined) return yield* Effect.die("no URL")
  const results = yield* Effect.flatMap(MailTransport, (transport) =>
    Effect.forEach(mails, (each) => Effect.result(transport.send(each)))
  ).pipe(Effect.provide(Smtp.layer(url, FROM)))
  return {
    received: server.received,
    failures: results.map((result) => (result._tag === "Failure" ? result.failure.message : ""))
  }
})

describe("a mail by SMTP", () => {
  it.live("arrives as text and HTML, from us, to its address alone, with the same Message-ID each time", () =>
    Effect.gen(function* () {
      const one = mail("o'neil+llm@example.com")
      const { failures, received } = yield* sending({}, one, one)
      assert.deepStrictEqual(failures, ["", ""])
      for (const { content, from, to } of received) {
        assert.deepStrictEqual([from, to], [FROM.address, ["o'neil+llm@example.com"]])
        const read = yield* Effect.promise(() => PostalMime.parse(content))
        assert.deepInclude(read.from, { name: FROM.name, address: FROM.address })
        assert.strictEqual(read.messageId, `<${one.id}@acme.example>`)
        assert.strictEqual(read.subject, "Grüße")
        assert.include(read.text, "Hello, Ann.")
        assert.include(read.html, "<p>Hello, Ann.</p>")
        assert.strictEqual(read.headers.find(({ key }) => key === "auto-submitted")?.value, "auto-generated")
      }
    }).pipe(Effect.scoped)
  )

  it.live("goes to nobody where its address could be read as another one, or as several", () =>
    Effect.gen(function* () {
      const addresses = [
        "ann,joe@example.com",
        "<joe@example.com",
        "ann;joe@example.com",
        '"ann"@example.com',
        "a:joe@b.c",
        "(c)ann@b.c",
        "=?utf-8?q?ann=40b.c=3e?=@example.com",
        "ann@example。com",
        "ann@[127.0.0.1]"
      ]
      const { failures, received } = yield* sending({}, ...addresses.map(mail))
      assert.deepStrictEqual(new Set(failures), new Set(["refused: no mail can go to this address"]))
      assert.deepStrictEqual(received, [])
    }).pipe(Effect.scoped)
  )

  it.live("is refused, not taken now, or not sent since the server is not usable: each is told apart", () =>
    Effect.gen(function* () {
      const refused = yield* sending({ recipient: 550 }, mail())
      assert.deepStrictEqual(refused.failures, ["refused: 550 to RCPT TO"])
      const greylisted = yield* sending({ recipient: 450 }, mail())
      assert.deepStrictEqual(greylisted.failures, ["busy: 450 to RCPT TO"])
      const content = yield* sending({ data: 554 }, mail())
      assert.deepStrictEqual(content.failures, ["refused: 554 to DATA"])
      const sender = yield* sending({ sender: 553 }, mail())
      assert.deepStrictEqual(sender.failures, ["server: 553 to MAIL FROM"])
      const login = yield* sending({ login: "ann:wrong@" }, mail())
      assert.match(login.failures[0] ?? "", /^server: 535/u)
      const closing = yield* sending({ recipient: 421 }, mail())
      assert.match(closing.failures[0] ?? "", /^server: 421/u)
    }).pipe(Effect.scoped)
  )

  it.live("says nothing of an address, a password or a text in a failure", () =>
    Effect.gen(function* () {
      const all = [
        yield* sending({ recipient: 550 }, mail("secret@example.com")),
        yield* sending({ login: "ann:hunter2@" }, mail())
      ]
      for (const { failures } of all) assert.notMatch(failures.join(" "), /secret|hunter2|Hello|example/u)
    }).pipe(Effect.scoped)
  )
})

describe("configuration", () => {
  it("reads URLs of servers, and nothing that is none", () => {
    assert.deepInclude(Smtp.serverOf("smtp://mail.example.com"), { port: 587, tls: false, login: undefined })
    assert.deepInclude(Smtp.serverOf("smtps://mail.example.com"), { port: 465, tls: true })
    const login = Smtp.serverOf("smtps://ann%40acme:p%2Fw@[::1]:2465")
    assert.deepInclude(login, { host: "::1", port: 2465 })
    assert.strictEqual(login?.login?.user, "ann@acme")
    assert.strictEqual(login?.login === undefined ? "" : Redacted.value(login.login.password), "p/w")
    for (const text of [
      "mail.example.com:25",
      "http://a",
      "smtp://",
      "smtp://h/x",
      "smtp://h?pool=true",
      "smtp://%zz@h"
    ])
      assert.isUndefined(Smtp.serverOf(text), text)
  })

  it("reads senders, and nothing that is none", () => {
    assert.deepStrictEqual(senderOf("Acme, Inc. <a@b.example>"), { name: "Acme, Inc.", address: "a@b.example" })
    assert.deepStrictEqual(senderOf('"Acme" <a@b.example>'), { name: "Acme", address: "a@b.example" })
    assert.deepStrictEqual(senderOf("a@b.example"), { name: "", address: "a@b.example" })
    for (const text of ["", "a", "a@b, c@d", "x <a@b> <c@d>", "x\r\nBcc: <a@b>", "<a>"])
      assert.isUndefined(senderOf(text), text)
  })
})
