import { assert, describe, it } from "@effect/vitest"
import type { MailContent } from "@llm-saas/domain/Mail"
import { Redacted } from "effect"
import { render } from "../src/Rendering.ts"

const frame = {
  product: "Acme AI",
  tenant: "Initech",
  publicUrl: "https://app.example.com/ai",
  token: { text: Redacted.make("ot_TOKEN"), minutes: 30 }
}

const shown = (content: MailContent, more: Partial<typeof frame> = {}) => {
  const { html, subject, text } = render(content, { ...frame, ...more })
  return { subject, text: Redacted.value(text), html: Redacted.value(html) }
}

describe("a mail", () => {
  it("has its link as text and as HTML, with the token in the fragment", () => {
    const url = "https://app.example.com/ai/account/reset#token=ot_TOKEN"
    const { html, subject, text } = shown({ template: "password_reset" })
    assert.include(text, `${url}\n`)
    assert.include(html, `<a href="${url}">Choose a new password</a>`)
    assert.include(text, "works once, and for 30 minutes")
    assert.notInclude(subject, "ot_TOKEN")
    for (const [minutes, words] of [
      [60, "1 hour"],
      [10_080, "7 days"],
      [90, "90 minutes"]
    ] as const)
      assert.include(
        shown({ template: "password_reset" }, { token: { ...frame.token, minutes } }).text,
        `for ${words}.`
      )
  })

  it("shows what others chose as text: no markup, no link, not long", () => {
    const tenant = `<b>Won</b> "$1,000" at https://evil.example/win?a=1&b=2 ${"and on ".repeat(30)}`
    const { html, text } = shown({ template: "email_verify" }, { tenant })
    assert.notInclude(html, "<b>")
    assert.include(html, "&lt;b&gt;")
    for (const part of [html, text]) {
      assert.notMatch(part.replaceAll("https://app.example.com", ""), /https?:\/\/|evil\.example/u)
      assert.notInclude(part, "and on and on and on and on and on and on and on and on")
    }
    assert.include(shown({ template: "email_verify" }, { tenant: "Acme Inc." }).text, "“Acme Inc.”")
  })

  it("has words for every template, and no empty line where there is no link", () => {
    const contents: ReadonlyArray<MailContent> = [
      { template: "password_reset_sso" },
      { template: "email_change" },
      { template: "email_change_asked", next: "b@example.com" },
      { template: "email_changed", next: "b@example.com" },
      { template: "invitation", inviter: "ann@example.com", role: "admin" },
      { template: "password_changed" },
      { template: "second_factor_added" },
      { template: "second_factor_removed" },
      { template: "identity_linked", issuer: "https://login.acme.com" }
    ]
    for (const content of contents) {
      const { html, subject, text } = shown(content)
      assert.isAbove(subject.length, 10)
      assert.include(text, "Initech")
      assert.include(html, "Initech")
      assert.notMatch(text, /\n\n\n|undefined/u)
    }
    assert.notInclude(shown({ template: "password_changed" }).text, "ot_TOKEN")
  })
})
