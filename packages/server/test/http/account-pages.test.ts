import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { runInNewContext } from "node:vm"
import { portOf, send, serving, stage } from "./Serving.ts"

const Shared = Layer.unwrap(Effect.map(stage, (on) => serving(on)))

const PAGES = ["/account/reset", "/account/verify", "/account/email", "/account/invitation"]

type Submit = (event: { readonly preventDefault: () => void }) => Promise<void>

interface Form {
  hidden: boolean
  readonly dataset: Readonly<Record<string, string>>
  submit: Submit
  readonly addEventListener: (name: string, listener: Submit) => void
}

/** The parts of a browser that the script uses; `answer` is the server's. */
const visit = (
  script: string,
  hash: string,
  answer: { readonly ok: boolean; readonly problem?: object },
  look: { readonly look?: string } = {}
) => {
  const said = { textContent: "", focused: false, focus: () => void (said.focused = true) }
  const form: Form = {
    hidden: false,
    dataset: { to: "../password/reset/confirm", done: "Done.", ...look },
    submit: () => Promise.resolve(),
    addEventListener: (_name, listener) => void (form.submit = listener)
  }
  const found: Readonly<Record<string, object>> = {
    form,
    button: { disabled: false },
    input: { value: "a new password", dataset: { member: "new_password" } }
  }
  const offer = { textContent: "" }
  const login = { hidden: true, href: "" }
  const sent: Array<{ readonly to: string; readonly body: unknown }> = []
  const shown: Array<string> = []
  runInNewContext(script, {
    URLSearchParams,
    location: { hash, pathname: "/account/reset" },
    history: { replaceState: (_state: unknown, _title: string, path: string) => void shown.push(path) },
    document: {
      querySelector: (name: string) => found[name],
      getElementById: (id: string) => (id === "offer" ? offer : id === "login" ? login : said)
    },
    fetch: (to: string, { body }: { readonly body: string }) => {
      sent.push({ to, body: JSON.parse(body) })
      return Promise.resolve({ ok: answer.ok, status: 200, json: () => Promise.resolve(answer.problem ?? {}) })
    }
  })
  return {
    said,
    form,
    offer,
    login,
    sent,
    shown,
    press: Effect.promise(() => form.submit({ preventDefault: () => {} }))
  }
}

it.layer(Shared)("the pages of links in mails", (it) => {
  it.effect("load nothing from elsewhere, run nothing but their script, and can be read aloud", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const path of PAGES) {
        const { body, headers, status } = yield* send(port, "GET", path)
        assert.strictEqual(status, 200, path)
        const policy = headers["content-security-policy"] ?? ""
        const [, style = ""] = /<style>(.*)<\/style>/su.exec(body) ?? []
        assert.include(policy, `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`)
        assert.match(policy, /^default-src 'none'; script-src 'self'; connect-src 'self'; /)
        assert.notMatch(policy, /unsafe|\*/)
        assert.strictEqual(headers["referrer-policy"], "no-referrer")
        assert.notMatch(body, / on[a-z]+=|style=|https?:|<script(?! src="page\.js" defer><)/)
        assert.match(body, /^<!doctype html><html lang="en">.*<title>.+<\/title>.*<main><h1>.+<\/h1>.*role="status"/su)
        assert.strictEqual(/<input /u.test(body), /<label for="password">/u.test(body))
      }
      const script = yield* send(port, "GET", "/account/page.js")
      assert.match(script.headers["content-type"] ?? "", /^text\/javascript/)
      assert.notMatch(script.body, /innerHTML|eval|document\.write|console/)
    })
  )

  it.effect("hide a password that is typed, and take one that is pasted or a password manager's", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const path of ["/account/reset", "/account/invitation"]) {
        const { body } = yield* send(port, "GET", path)
        const [input = ""] = /<input [^>]*>/u.exec(body) ?? []
        assert.include(input, 'type="password" autocomplete="new-password"', path)
        assert.notMatch(input, /readonly|disabled|maxlength|pattern/u, path)
      }
      // No script that listens to what is typed or pasted.
      const { body } = yield* send(port, "GET", "/account/page.js")
      const listens = [...body.matchAll(/addEventListener\((\S+?),/gu)].map(([, name]) => name)
      assert.deepStrictEqual(listens, ['"submit"'])
      assert.notMatch(body, /\bon(?:paste|input|key\w+|copy)\b|clipboard/u)
    })
  )

  it.effect("take the token out of the address at once, and send it when the button is pressed, not before", () =>
    Effect.gen(function* () {
      const script = (yield* send(yield* portOf, "GET", "/account/page.js")).body
      const page = visit(script, "#token=ot_abc", { ok: true })
      assert.deepStrictEqual(page.shown, ["/account/reset"])
      assert.deepStrictEqual(page.sent, [])
      yield* page.press
      assert.deepStrictEqual(page.sent, [
        { to: "../password/reset/confirm", body: { token: "ot_abc", new_password: "a new password" } }
      ])
      assert.deepInclude(page.said, { textContent: "Done.", focused: true })
      assert.isTrue(page.form.hidden)
    })
  )

  it.effect("show what an invitation offers before it is accepted, as text", () =>
    Effect.gen(function* () {
      const script = (yield* send(yield* portOf, "GET", "/account/page.js")).body
      const problem = { tenant_name: "<b>Acme</b>", email: "ann@example.com" }
      const page = visit(script, "#token=ot_abc", { ok: true, problem }, { look: "../invitations/look" })
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.deepStrictEqual(page.sent, [{ to: "../invitations/look", body: { token: "ot_abc" } }])
      assert.strictEqual(page.offer.textContent, "Tenant: <b>Acme</b>. Your address: ann@example.com.")
      assert.isTrue(page.login.hidden)

      const login_url = "https://app.acme.example/login/acme"
      const other = visit(
        script,
        "#token=ot_abc",
        { ok: true, problem: { ...problem, login_url } },
        { look: "../look" }
      )
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.deepStrictEqual(other.login, { hidden: false, href: login_url })
      assert.isTrue(other.form.hidden)
      assert.include(other.said.textContent, "uses single sign-on")
    })
  )

  it.effect("say what the server says, and where the page was opened without a link", () =>
    Effect.gen(function* () {
      const script = (yield* send(yield* portOf, "GET", "/account/page.js")).body
      const refused = visit(script, "#token=ot_abc", { ok: false, problem: { detail: "The link was used." } })
      yield* refused.press
      assert.strictEqual(refused.said.textContent, "The link was used.")
      assert.isFalse(refused.form.hidden)
      const bare = visit(script, "", { ok: true })
      assert.include(bare.said.textContent, "link of a mail")
      assert.isTrue(bare.form.hidden)
    })
  )
})
