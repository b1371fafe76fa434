import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { Running } from "../Running.ts"
import { codeAt, wrongCode } from "../Totp.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { newcomer, password } from "./Newcomer.ts"
import { barriers, person } from "./Person.ts"

const POLICY = { second_factor_after_sso: false, tenant_switch: true }

layer(consoleServer({ LOGIN_FAILURES_PER_ADDRESS: "100000" }), { timeout: "120 seconds" })("a login", (it) => {
  it.effect.skipIf(noBrowser)("goes on where the person wanted to be, and to no other site", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const account = yield* newcomer(send)
      for (const path of ["//evil.test/", "https://evil.test/", "/\\evil.test", "/../docs"]) {
        const somebody = yield* person()
        yield* password(somebody, account, path)
        yield* Effect.promise(() => somebody.page.waitForURL((url) => !url.pathname.endsWith("/login")))
        assert.match(somebody.page.url(), /^http:\/\/localhost:\d+\/console\//u, path)
        assert.deepStrictEqual([...somebody.strangers], [])
      }
      const somebody = yield* person()
      yield* Effect.promise(async () => {
        await somebody.page.goto(`${somebody.address}/account/sessions`)
        await somebody.page.getByLabel("Email").fill(account.email)
        await somebody.page.keyboard.press("Enter")
        await somebody.page.getByLabel("Password").fill(account.password)
        await somebody.page.keyboard.press("Enter")
        await somebody.page.getByRole("heading", { name: "Sessions" }).waitFor()
      })
      assert.deepStrictEqual([...somebody.faults], [])
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(noBrowser)(
    "sets up one-time codes where the tenant asks for them, and wants one the next time",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const account = yield* newcomer(send)
        const policy = yield* send("PUT", `/tenants/${account.tenant}/login-policy`, {
          token: account.token,
          json: { ...POLICY, second_factor: "everybody" }
        })
        assert.strictEqual(policy.status, 200, JSON.stringify(policy.body))
        const somebody = yield* person()
        const { page } = somebody
        yield* password(somebody, account)
        const secret = yield* Effect.promise(() => page.locator("code.secret").innerText())
        assert.deepStrictEqual(yield* barriers(page), [])
        yield* Effect.promise(async () => {
          await page.getByRole("img", { name: "QR code" }).waitFor()
          await page.getByLabel("Code", { exact: true }).fill(codeAt(secret))
          await page.getByRole("button", { name: "Set up and log in" }).click()
        })
        const codes = yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "I have kept them" }).waitFor()
          return page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem").allInnerTexts()
        })
        assert.lengthOf(codes, 10)
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "I have kept them" }).click()
          await page.getByRole("heading", { name: "Profile" }).waitFor()
        })
        assert.deepStrictEqual([...somebody.faults], [])

        // Another browser: a wrong code is refused, the right one lets in.
        const other = yield* person()
        yield* password(other, account)
        yield* Effect.promise(async () => {
          const code = other.page.getByLabel("Code", { exact: true })
          await code.fill(wrongCode(secret))
          await other.page.getByRole("button", { name: "Log in", exact: true }).click()
          await other.page.getByRole("alert").waitFor()
          await code.fill(codeAt(secret, 1))
          await other.page.getByRole("button", { name: "Log in", exact: true }).click()
          await other.page.getByRole("heading", { name: "Profile" }).waitFor()
        })

        // And a third: by a recovery code.
        const third = yield* person()
        yield* password(third, account)
        yield* Effect.promise(async () => {
          await third.page.getByRole("button", { name: "Use a recovery code" }).click()
          await third.page.getByLabel("Recovery code").fill(codes[0] ?? "")
          await third.page.getByRole("button", { name: "Log in", exact: true }).click()
          await third.page.getByRole("heading", { name: "Profile" }).waitFor()
          await third.page.goto(`${third.address}/account/security`)
          await third.page.getByText("9 recovery codes left").waitFor()
        })
      }).pipe(Effect.scoped)
  )

  it.effect.skipIf(noBrowser)(
    "that single sign-on began is ended by a page that is told the challenge in its address",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const account = yield* newcomer(send)
        const { token } = account
        const proof = yield* send("POST", "/me/proof", { token, json: { password: account.password } })
        const headers = { proof: String(proof.body["proof"]) }
        const secret = String((yield* send("POST", "/me/factors/totp", { token, headers, json: {} })).body["secret"])
        yield* send("POST", "/me/factors/totp/confirm", { token, json: { code: codeAt(secret) } })
        // As the way back from a provider begins it: for a cookie.
        const first = yield* send("POST", "/login", {
          json: { username: account.email, password: account.password, tenant_id: account.tenant, session: "cookie" },
          headers: { "x-csrf": "1", origin: `http://127.0.0.1:${port}` }
        })
        const challenge = String(first.body["challenge"])
        const fragment = new URLSearchParams({ challenge, methods: "totp,recovery_code" }).toString()
        const { address, faults, page } = yield* person()
        yield* Effect.promise(async () => {
          await page.goto(`${address}/account#${fragment}`)
          // This browser began no login: it may be another person's.
          await page.getByText("You were sent here in the middle of a login").waitFor()
          assert.notInclude(page.url(), challenge)
          await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, 1))
          await page.getByRole("button", { name: "Log in", exact: true }).click()
          await page.getByRole("heading", { name: "Profile" }).waitFor()
          // The cookie has the session.
          await page.reload()
          await page.getByRole("main").getByText(account.email).waitFor()
        })
        assert.deepStrictEqual([...faults], [])
      }).pipe(Effect.scoped)
  )

  it.effect.skipIf(noBrowser)(
    "of an address with several accounts chooses the tenant, by its name where the browser knows it",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const first = yield* newcomer(send, { name: "North Ltd" })
        const other = yield* send("POST", "/create-tenant", { json: { name: "South Ltd" } })
        const { address, faults, page } = yield* person()
        yield* Effect.promise(async () => {
          // Whoever registers in an open tenant is logged in.
          await page.goto(`${address}/register?tenant=${String(other.body["id"])}`)
          await page.getByLabel("Email").fill(first.email)
          await page.getByLabel("Password").fill(first.password)
          await page.getByRole("button", { name: "Make the account" }).click()
          await page.waitForURL((url) => !url.pathname.endsWith("/register"))
          await page.goto(`${address}/account`)
          await page.getByRole("main").getByText("South Ltd").waitFor()
          await page.getByRole("button", { name: first.email }).click()
          await page.getByRole("menuitem", { name: "Log out" }).click()
          const logIn = async () => {
            await page.getByLabel("Email").fill(first.email)
            await page.getByRole("button", { name: "Continue" }).click()
            await page.getByLabel("Password").fill(first.password)
            await page.getByRole("button", { name: "Log in" }).click()
          }
          await logIn()
          await page.getByLabel("Tenant", { exact: true }).selectOption("Another one")
          await page.getByLabel("Tenant id").fill(first.tenant)
          await page.getByRole("button", { name: "Log in" }).click()
          await page.getByRole("main").getByText("North Ltd").waitFor()
          await page.getByRole("button", { name: first.email }).click()
          await page.getByRole("menuitem", { name: "Log out" }).click()
          await logIn()
          await page.getByLabel("Tenant", { exact: true }).selectOption("South Ltd")
          await page.getByRole("button", { name: "Log in" }).click()
          await page.getByRole("main").getByText("South Ltd").waitFor()
        })
        assert.deepStrictEqual([...faults], [])
      }).pipe(Effect.scoped)
  )

  it.effect.skipIf(noBrowser)("is ended by a passkey that the browser made, and that proves who asks", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const account = yield* newcomer(send)
      const somebody = yield* person()
      const { context, page } = somebody
      // A device in the browser, whose owner always says yes.
      yield* Effect.promise(async () => {
        const devices = await context.newCDPSession(page)
        await devices.send("WebAuthn.enable")
        await devices.send("WebAuthn.addVirtualAuthenticator", {
          options: {
            protocol: "ctap2",
            transport: "internal",
            hasResidentKey: true,
            hasUserVerification: true,
            isUserVerified: true,
            automaticPresenceSimulation: true
          }
        })
      })
      yield* password(somebody, account, "/account/security")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Add a passkey" }).click()
        await page.getByLabel("Name").fill("laptop")
        await page.getByRole("button", { name: "Make the passkey" }).click()
        // Before the first factor the password proves who asks.
        await page.getByRole("dialog", { name: "Is it you?" }).getByLabel("Password").fill("not that one")
        await page.getByRole("button", { name: "It is me" }).click()
        await page.getByRole("dialog", { name: "Is it you?" }).getByRole("alert").waitFor()
        await page.getByRole("dialog", { name: "Is it you?" }).getByLabel("Password").fill(account.password)
        await page.getByRole("button", { name: "It is me" }).click()
        await page.getByRole("button", { name: "I have kept them" }).click()
        await page.getByRole("region", { name: "Second factors" }).getByText("laptop").waitFor()
      })
      assert.deepStrictEqual(yield* barriers(page), [])
      // The same browser, logged out: the password alone is not enough.
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: account.email }).click()
        await page.getByRole("menuitem", { name: "Log out" }).click()
        await page.getByRole("heading", { name: "Log in" }).waitFor()
      })
      yield* password(somebody, account, "/account/security")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Use your passkey" }).click()
        // It is removed, by a proof with itself.
        await page.getByRole("button", { name: "Remove" }).click()
        await page.getByRole("button", { name: "Remove it" }).click()
        await page.getByRole("button", { name: "Use a passkey" }).click()
        await page.getByText("No second factor yet").waitFor()
      })
      const factors = yield* send("GET", "/me/factors", { token: account.token })
      assert.deepStrictEqual(factors.body["data"], [])
      assert.deepStrictEqual([...somebody.faults], [])
    }).pipe(Effect.scoped)
  )

  for (const deaf of [false, true])
    it.effect.skipIf(noBrowser)(
      `of another person in one tab makes the other tab theirs too${deaf ? ", also where that tab hears of nothing" : ""}`,
      () =>
        Effect.gen(function* () {
          const { send } = yield* Running
          const [ada, bob] = [yield* newcomer(send), yield* newcomer(send)]
          const somebody = yield* person()
          const { address, context, page: first } = somebody
          // A tab that the browser has put to sleep hears nothing of the others.
          if (deaf)
            yield* Effect.promise(() =>
              first.addInitScript(
                "globalThis.BroadcastChannel = EventTarget; EventTarget.prototype.postMessage = () => {}"
              )
            )
          yield* password(somebody, ada, "/account")
          yield* Effect.promise(() => first.getByRole("heading", { name: "Profile" }).waitFor())
          const second = yield* Effect.promise(() => context.newPage())
          yield* Effect.promise(async () => {
            await second.goto(`${address}/account`)
            await second.getByRole("button", { name: ada.email }).click()
            await second.getByRole("menuitem", { name: "Log out" }).click()
            await second.getByRole("heading", { name: "Log in" }).waitFor()
          })
          yield* password({ ...somebody, page: second }, bob, "/account")
          yield* Effect.promise(async () => {
            await second.getByRole("button", { name: bob.email }).waitFor()
            // What the first tab asks next would be asked with the cookie of the other.
            if (deaf) await first.getByRole("link", { name: "Sessions" }).click()
            await first.getByRole("button", { name: bob.email }).waitFor()
          })
          assert.strictEqual(yield* Effect.promise(() => first.getByText(ada.email).count()), 0)
          assert.deepStrictEqual([...somebody.faults], [])
        }).pipe(Effect.scoped)
    )

  it.effect.skipIf(noBrowser)(
    "goes on in another tenant of the person, in all tabs, and the tenants are not mixed",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const here = yield* newcomer(send, { name: "North Ltd" })
        const there = yield* newcomer(send, { name: "South Ltd", email: here.email })
        const somebody = yield* person()
        const { address, context, page: first } = somebody
        yield* password(somebody, here, "/account/tenants")
        const second = yield* Effect.promise(() => context.newPage())
        yield* Effect.promise(async () => {
          await second.goto(`${address}/account`)
          await second.getByRole("main").getByText("North Ltd").waitFor()
          await first.getByRole("button", { name: "Add a tenant" }).click()
          await first.getByLabel("Tenant id").fill(there.tenant)
          await first.getByLabel("Password there").fill(there.password)
          await first.getByRole("button", { name: "Add it" }).click()
          await first.getByRole("button", { name: "Switch to South Ltd" }).click()
          await second.getByRole("main").getByText("South Ltd").waitFor()
          await first.goto(`${address}/account`)
          await first.getByRole("main").getByText("South Ltd").waitFor()
          for (const page of [first, second]) assert.strictEqual(await page.getByText("North Ltd").count(), 0)
        })
        assert.deepStrictEqual([...somebody.faults], [])
      }).pipe(Effect.scoped)
  )
})
