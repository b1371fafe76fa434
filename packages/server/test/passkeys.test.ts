import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"
import { SoftwareAuthenticator } from "./SoftwareAuthenticator.ts"

// Passkeys as second factors, with devices in software.

const ORIGIN = "https://app.acme.test"
const PASSWORD = "password123"
const VARIABLES = { PUBLIC_URL: ORIGIN, LOGIN_FAILURES_PER_ADDRESS: "100000" }

const says = ({ body, status }: Answer) => [status, body["code"]]
const text = (value: unknown) => (typeof value === "string" ? value : assert.fail(`no text: ${String(value)}`))

const proof = (send: Send, { token }: Person, given: object) =>
  Effect.map(send("POST", "/me/proof", { token, json: given }), ({ body }) => ({ proof: text(body["proof"]) }))

const begin = (send: Send, { token }: Person, headers: Record<string, string>) =>
  send("POST", "/me/factors/passkeys/options", { token, headers })

const add = (send: Send, { token }: Person, challenge: unknown, passkey: object) =>
  send("POST", "/me/factors/passkeys", { token, json: { challenge, name: "laptop", passkey } })

/** A person with a passkey, and the first step of their login. */
const withPasskey = Effect.fnUntraced(function* (send: Send) {
  const person = yield* signUp(send)
  const headers = yield* proof(send, person, { password: PASSWORD })
  const device = new SoftwareAuthenticator(ORIGIN)
  const { body } = yield* begin(send, person, headers)
  const added = yield* add(send, person, body["challenge"], device.create(body["options"]))
  assert.strictEqual(added.status, 201, JSON.stringify(added.body))
  const email = text((yield* send("GET", "/me", { token: person.token })).body["email"])
  const login = send("POST", "/login", { json: { username: email, password: PASSWORD, tenant_id: person.tenant } })
  return { ...person, device, added: added.body, login, headers }
})

const second = (send: Send, challenge: unknown, passkey: object) =>
  send("POST", "/login/second-factor", { json: { challenge, passkey } })

layer(Running.with(VARIABLES), { timeout: 60_000 })("a passkey", (it) => {
  it.effect("is added by a page of this server, and ends a login, once for each challenge", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { added, device, login } = yield* withPasskey(send)
      assert.deepInclude(added["factor"], { kind: "passkey", name: "laptop", backed_up: false })
      assert.strictEqual(Array.isArray(added["recovery_codes"]) && added["recovery_codes"].length, 10)
      const first = yield* login
      assert.deepStrictEqual(says(first), [401, "second_factor_required"])
      assert.deepStrictEqual(first.body["methods"], ["passkey", "recovery_code"])
      const used = device.get(first.body["passkey"])
      const done = yield* second(send, first.body["challenge"], used)
      assert.strictEqual(done.status, 200, JSON.stringify(done.body))
      assert.strictEqual((yield* send("GET", "/me", { token: text(done.body["access_token"]) })).status, 200)
      assert.deepStrictEqual(says(yield* second(send, first.body["challenge"], used)), [401, "challenge_ended"])
      // What was signed for one challenge is nothing to another.
      const again = yield* login
      assert.deepStrictEqual(says(yield* second(send, again.body["challenge"], used)), [401, "invalid_second_factor"])
      const right = device.get(again.body["passkey"])
      assert.strictEqual((yield* second(send, again.body["challenge"], right)).status, 200)
    })
  )

  it.effect("answers a challenge once, at two processes at the same moment", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const other = yield* running(VARIABLES)
      const { device, login } = yield* withPasskey(send)
      const first = yield* login
      const used = device.get(first.body["passkey"])
      const answers = yield* Effect.forEach(
        [send, other.send, send, other.send],
        (each) => second(each, first.body["challenge"], used),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(says)))
    }).pipe(Effect.scoped)
  )

  it.effect("of another origin, another key or another account is none", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* withPasskey(send)
      const other = yield* withPasskey(send)
      const first = yield* person.login
      const challenge = first.body["challenge"]
      const forged = Object.assign(new SoftwareAuthenticator(ORIGIN), { id: person.device.id })
      for (const bad of [other.device.get(first.body["passkey"]), forged.get(first.body["passkey"])])
        assert.deepStrictEqual(says(yield* second(send, challenge, bad)), [401, "invalid_second_factor"])

      // A phishing page, which passes on what we asked for.
      const { body } = yield* begin(send, person, yield* proofOf(send, person))
      const elsewhere = new SoftwareAuthenticator("https://app.acme.example")
      const refused = yield* add(send, person, body["challenge"], elsewhere.create(body["options"]))
      assert.deepStrictEqual(says(refused), [422, "passkey_refused"])
      // A challenge of another account.
      const device = new SoftwareAuthenticator(ORIGIN)
      const stolen = yield* add(send, other, body["challenge"], device.create(body["options"]))
      assert.deepStrictEqual(says(stolen), [401, "challenge_ended"])
    })
  )

  it.effect("is asked for a proof when another one is added, and is added once", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* withPasskey(send)
      const refused = yield* begin(send, person, person.headers)
      assert.deepStrictEqual(says(refused), [403, "proof_required"])
      assert.deepStrictEqual(refused.body["methods"], ["passkey", "recovery_code"])
      const headers = yield* proofOf(send, person)
      const { body } = yield* begin(send, person, headers)
      const device = new SoftwareAuthenticator(ORIGIN)
      const made = device.create(body["options"])
      assert.strictEqual((yield* add(send, person, body["challenge"], made)).status, 201)
      assert.deepStrictEqual(says(yield* add(send, person, body["challenge"], made)), [422, "passkey_refused"])
    })
  )
})

/** A proof by the person's passkey, which cannot be had twice from one signature. */
const proofOf = Effect.fnUntraced(function* (send: Send, person: Person & { readonly device: SoftwareAuthenticator }) {
  const { token } = person
  const { body } = yield* send("POST", "/me/proof/passkey", { token })
  const given = { challenge: body["challenge"], passkey: person.device.get(body["options"]) }
  const headers = yield* proof(send, person, given)
  assert.deepStrictEqual(says(yield* send("POST", "/me/proof", { token, json: given })), [401, "challenge_ended"])
  return headers
})
