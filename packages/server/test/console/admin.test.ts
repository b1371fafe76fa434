import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { Running } from "../Running.ts"
import { codeAt } from "../Totp.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { addressesOf, loggedIn, office, PASSWORD, tokenOf } from "./Office.ts"
import { barriers } from "./Person.ts"

/** Parts of addresses that are ids. */
const PART = /\$\w+/gu

layer(consoleServer(), { timeout: "240 seconds", excludeTestServices: true })("an admin in the console", (it) => {
  it.effect.skipIf(noBrowser)(
    "who puts another tenant's ids into any address sees that they do not exist, and no byte of that tenant",
    () =>
      Effect.gen(function* () {
        const [ours, theirs] = [yield* office, yield* office]
        const { address: home, answers, faults, open, page } = yield* loggedIn(ours.admin)
        const addresses = yield* addressesOf(page)
        const withIds = addresses.filter((address) => address.includes("$"))
        // The operator's are no user's, whatever their ids.
        const ofUsers = withIds.filter((address) => !address.startsWith("/operator"))
        for (const known of ["/admin/users/$user", "/admin/keys/$key", "/admin/service-accounts/$account"])
          assert.include(ofUsers, known)
        const shown = () => Effect.promise(() => page.content())

        // With ids of their own the same pages show what there is: else nothing would be seen below, whatever it was.
        yield* open(`/admin/users/${ours.ids.user}`)
        assert.include(yield* shown(), ours.member)
        yield* open(`/admin/keys/${ours.ids.key}`)
        assert.include(yield* shown(), `${ours.mark} bot`)
        yield* open(`/admin/service-accounts/${ours.ids.account}`)
        assert.include(yield* shown(), `${ours.mark} program`)

        for (const address of withIds)
          for (const id of Object.values(theirs.ids)) {
            const path = address.replace(PART, id)
            yield* ofUsers.includes(address)
              ? Effect.promise(async () => {
                  await page.goto(`${home}${path}`)
                  await page.getByText("does not exist").first().waitFor()
                })
              : open(path)
            assert.notInclude(yield* shown(), theirs.mark, `${address} ${id}`)
          }
        // Ids behind the question mark too, whatever a page makes of them.
        const names = ["user", "actor", "key", "tenant", "conversation", "to"]
        for (const address of addresses.filter((each) => !each.includes("$"))) {
          const search = new URLSearchParams(Object.fromEntries(names.map((name) => [name, theirs.ids.user])))
          yield* open(`${address}?${search.toString()}`)
          assert.notInclude(yield* shown(), theirs.mark, address)
        }
        assert.isAbove(answers.length, 50)
        for (const { address, text } of answers)
          assert.notInclude(yield* Effect.promise(() => text), theirs.mark, address)
        assert.deepStrictEqual([...faults], [])
      }),
    600_000
  )

  it.effect.skipIf(noBrowser)("is who the pages are for: a user is offered none, and told so at each of them", () =>
    Effect.gen(function* () {
      const { ids, member } = yield* office
      const { answers, open, page } = yield* loggedIn(member)
      const addresses = yield* addressesOf(page)
      yield* open("/account/sessions")
      const links = yield* Effect.promise(() =>
        page.getByRole("link").evaluateAll((all) => all.map((each) => each.getAttribute("href") ?? ""))
      )
      assert.isNotEmpty(links)
      assert.deepStrictEqual(
        links.filter((link) => link.includes("/admin/")),
        []
      )
      const ofAdmins = addresses.filter((address) => address.startsWith("/admin/"))
      assert.isAbove(ofAdmins.length, 10)
      for (const address of ofAdmins) {
        yield* open(address.replace(PART, ids.user))
        assert.strictEqual(yield* Effect.promise(() => page.getByText("This page is for admins").count()), 1, address)
      }
      // Nothing was asked for that the server had to refuse.
      assert.deepStrictEqual(
        answers.filter(({ status }) => status === 403).map(({ address }) => address),
        []
      )
    })
  )

  it.effect.skipIf(noBrowser)("adds a user and limits them, and the limit holds and is seen", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, mark } = yield* office
      const { faults, open, page } = yield* loggedIn(admin)
      const email = `new@${mark}.test`
      yield* open("/admin/users")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Add with a password" }).click()
        await page.getByLabel("Email").fill(email)
        await page.getByLabel("First password").fill("password123")
        await page.getByRole("button", { name: "Add the user" }).click()
        await page.getByRole("link", { name: email }).click()
        await page.getByRole("heading", { name: email }).waitFor()
        await page.getByRole("button", { name: "Change limits" }).click()
        await page.getByLabel("Requests a minute").fill("1")
        await page.getByLabel("Budget (US dollars)").fill("0.50")
        await page.getByLabel("Period (UTC)").selectOption("week")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("Budget of $0.50 a week").waitFor()
        await page.getByText("1 requests a minute").waitFor()
        await page.getByText("1 requests left").waitFor()
      })
      const login = yield* send("POST", "/login", { json: { username: email, password: "password123" } })
      const token = String(login.body["access_token"])
      const ask = send("POST", "/messages", { token, json: { content: "Hello" } })
      assert.strictEqual((yield* ask).status, 201)
      assert.deepInclude((yield* ask).body, { code: "limit_reached", scope: "user", resource: "requests", limit: 1 })
      // The page asks again by itself.
      yield* Effect.promise(() => page.getByText("0 requests left").waitFor())
      yield* open("/admin/limits")
      yield* Effect.promise(() => page.getByRole("link", { name: email }).waitFor())
      yield* Effect.promise(() => page.getByText("1 requests a minute").waitFor())
      assert.deepStrictEqual([...faults], [])
    })
  )

  it.effect.skipIf(noBrowser)("ends a user's sessions, disables and deletes them, and they are out", () =>
    Effect.gen(function* () {
      const { admin, ids, member } = yield* office
      const theirs = yield* loggedIn(member)
      yield* theirs.open("/account/sessions")
      const { open, page } = yield* loggedIn(admin)
      yield* open(`/admin/users/${ids.user}`)
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "End all" }).click()
        await page.getByRole("button", { name: "End them" }).click()
        await page.getByText("Logged in nowhere").waitFor()
      })
      yield* Effect.promise(async () => {
        await theirs.page.reload()
        await theirs.page.getByLabel("Email").waitFor()
      })
      assert.notStrictEqual(yield* tokenOf(member), "undefined")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Disable" }).click()
        await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click()
        await page.getByText("disabled", { exact: true }).waitFor()
      })
      assert.strictEqual(yield* tokenOf(member), "undefined")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Delete this user" }).click()
        await page.getByText("This cannot be undone").waitFor()
        await page.getByRole("button", { name: "Delete for good" }).click()
        await page.getByRole("heading", { name: "Users" }).waitFor()
        await page.getByRole("link", { name: admin }).waitFor()
      })
      assert.strictEqual(yield* Effect.promise(() => page.getByRole("link", { name: member }).count()), 0)
      yield* open(`/admin/users/${ids.user}`)
      yield* Effect.promise(() => page.getByText("does not exist").waitFor())
    })
  )

  it.effect.skipIf(noBrowser)("makes a program a key that works, and revokes it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, mark } = yield* office
      const { open, page } = yield* loggedIn(admin)
      yield* open("/admin/service-accounts")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Add a service account" }).click()
        await page.getByLabel("Name").fill(`${mark} nightly`)
        await page.getByRole("button", { name: "Add it" }).click()
        await page.getByRole("link", { name: `${mark} nightly` }).click()
        await page.getByRole("button", { name: "Make a key for it" }).click()
        await page.getByLabel("Name").fill("nightly key")
        await page.getByRole("button", { name: "Make the key" }).click()
      })
      const secret = yield* Effect.promise(() => page.getByText(/^sk-[0-9A-Za-z]{16}-[0-9A-Za-z]{49}$/u).innerText())
      const asked = () => send("POST", "/messages", { token: secret, json: { content: "Hello" } })
      assert.strictEqual((yield* asked()).status, 201)
      yield* Effect.promise(() => page.getByRole("button", { name: "I have it" }).click())
      yield* open("/admin/keys")
      assert.notInclude(yield* Effect.promise(() => page.content()), secret)
      yield* Effect.promise(async () => {
        await page.getByRole("link", { name: "nightly key" }).click()
        await page.getByRole("button", { name: "Revoke" }).click()
        await page.getByRole("button", { name: "Revoke it" }).click()
        await page.getByRole("link", { name: `${mark} bot` }).waitFor()
      })
      assert.strictEqual((yield* asked()).status, 401)
    })
  )

  it.effect.skipIf(noBrowser)("sets up single sign-on with a secret that is never shown again", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, ids, mark, token } = yield* office
      const secret = `hidden-${mark}`
      const { answers, faults, open, page } = yield* loggedIn(admin)
      yield* open("/admin/settings/single-sign-on")
      yield* Effect.promise(async () => {
        await page.getByLabel("Address of the login").fill(mark)
        await page.getByLabel("Issuer").fill("ftp://login.invalid")
        await page.getByLabel("Client id").fill("llm-saas")
        await page.getByLabel("Client secret").fill(secret)
        await page.getByLabel("Domains of your people").fill(`@${mark.toUpperCase()}.test`)
        await page.getByLabel("Claim that decides the role").fill("groups")
        await page.getByLabel("Its values that make an admin").fill("admins\nowners")
        await page.getByRole("button", { name: "Set it up" }).click()
        // What is wrong stands beside what is wrong.
        await page.getByText("Expected the issuer's URL").first().waitFor()
        assert.strictEqual(await page.getByLabel("Issuer").getAttribute("aria-invalid"), "true")
        await page.getByLabel("Issuer").fill("https://login.invalid")
        await page.getByRole("button", { name: "Set it up" }).click()
        await page.getByText(`/login/${mark}`).first().waitFor()
        await page.getByText("Stored, encrypted").waitFor()
        await page.getByRole("strong").getByText(`${mark}.test`, { exact: true }).waitFor()
      })
      const stored = yield* send("GET", `/tenants/${ids.tenant}/sso`, { token })
      assert.deepInclude(stored.body, {
        issuer: "https://login.invalid",
        client_id: "llm-saas",
        has_secret: true,
        jit: true,
        role_claim: "groups",
        admin_values: ["admins", "owners"],
        required: false,
        enabled: true
      })
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Test the provider" }).click()
        await page.getByText("does not answer at this address").waitFor()
        await page.getByRole("button", { name: "Look for the record" }).click()
        await page.getByText("DNS does not have the record").waitFor()
      })
      // Another client's secret is another one: the stored one goes to nobody else.
      yield* Effect.promise(() => page.getByLabel("Client id").fill("another"))
      assert.isTrue(yield* Effect.promise(() => page.getByRole("button", { name: "Save" }).isDisabled()))
      yield* open("/admin/settings/single-sign-on")
      yield* Effect.promise(async () => {
        assert.isTrue(await page.getByLabel("Keep the stored one").isChecked())
        await page.getByLabel("Make accounts at the first login").uncheck()
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("Saved.").waitFor()
      })
      const kept = yield* send("GET", `/tenants/${ids.tenant}/sso`, { token })
      assert.deepInclude(kept.body, { has_secret: true, jit: false, client_id: "llm-saas" })
      assert.notInclude(yield* Effect.promise(() => page.content()), secret)
      for (const { text } of answers) assert.notInclude(yield* Effect.promise(() => text), secret)
      assert.deepStrictEqual([...faults], [])
    })
  )

  it.effect.skipIf(noBrowser)(
    "takes a lost second factor away from a user, after a proof, and asks admins for one",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { admin, ids, member, memberToken, token } = yield* office
        const proved = yield* send("POST", "/me/proof", { token: memberToken, json: { password: PASSWORD } })
        const begun = yield* send("POST", "/me/factors/totp", {
          token: memberToken,
          headers: { proof: String(proved.body["proof"]) },
          json: { name: "lost phone" }
        })
        yield* send("POST", "/me/factors/totp/confirm", {
          token: memberToken,
          json: { code: codeAt(String(begun.body["secret"])) }
        })
        const login = send("POST", "/login", { json: { username: member, password: PASSWORD } })
        assert.strictEqual((yield* login).body["code"], "second_factor_required")
        const { faults, open, page } = yield* loggedIn(admin)
        yield* open(`/admin/users/${ids.user}`)
        yield* Effect.promise(async () => {
          await page.getByRole("row", { name: "lost phone" }).getByRole("button", { name: "Remove" }).click()
          await page.getByRole("button", { name: "Remove it" }).click()
          // An access token alone takes nothing away that protects an account.
          await page.getByRole("heading", { name: "Is it you?" }).waitFor()
          await page.getByLabel("Password").fill(PASSWORD)
          await page.getByRole("button", { name: "It is me" }).click()
          await page.getByText("None: the password is enough").waitFor()
        })
        assert.strictEqual((yield* login).status, 200)
        yield* open("/admin/settings/logins")
        yield* Effect.promise(async () => {
          await page.getByLabel("Admins").check()
          await page.getByRole("button", { name: "Save" }).click()
          await page.getByText("It holds from the next login on").waitFor()
        })
        const policy = yield* send("GET", `/tenants/${ids.tenant}/login-policy`, { token })
        assert.strictEqual(policy.body["second_factor"], "admins")
        assert.deepStrictEqual([...faults], [])
      })
  )

  it.effect.skipIf(noBrowser)("keeps content for some days only after knowing that older content is removed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, ids, token } = yield* office
      const { open, page } = yield* loggedIn(admin)
      yield* open("/admin/settings/content")
      const save = page.getByRole("button", { name: "Save" })
      yield* Effect.promise(async () => {
        await page.getByLabel("For a number of days").check()
        await page.getByLabel("Days", { exact: true }).fill("7")
        await page.getByText("older than 7 days are removed").waitFor()
        assert.isTrue(await save.isDisabled())
        await page.getByLabel("cannot be undone").check()
        await save.click()
        await page.getByText("Saved.").waitFor()
      })
      const kept = yield* send("GET", `/tenants/${ids.tenant}/retention`, { token })
      assert.deepStrictEqual(kept.body, { content: "days", days: 7 })
    })
  )

  it.effect.skipIf(noBrowser)("invites, sends again and revokes", () =>
    Effect.gen(function* () {
      const { admin, mark } = yield* office
      const { open, page } = yield* loggedIn(admin)
      const email = `carol@${mark}.test`
      yield* open("/admin/invitations")
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Invite" }).click()
        await page.getByLabel("Email").fill(email)
        await page.getByLabel("Role").selectOption("admin")
        await page.getByRole("button", { name: "Send the invitation" }).click()
        const row = page.getByRole("row", { name: email })
        await row.getByText("pending").waitFor()
        await row.getByRole("button", { name: "Send again" }).click()
        await page.getByText(`Another mail is on its way to ${email}`).waitFor()
        await row.getByRole("button", { name: "Revoke" }).click()
        await page.getByRole("button", { name: "Revoke it" }).click()
        await row.getByText("revoked").waitFor()
        assert.strictEqual(await row.getByRole("button").count(), 0)
      })
    })
  )

  it.effect.skipIf(noBrowser)(
    "finds no barriers, in light and dark, wide and narrow",
    () =>
      Effect.gen(function* () {
        const { admin, ids } = yield* office
        const own = { $user: ids.user, $key: ids.key, $account: ids.account }
        for (const window of [{}, { dark: true, width: 390 }]) {
          const { open, page } = yield* loggedIn(admin, window)
          const addresses = yield* addressesOf(page)
          for (const address of addresses.filter((each) => each.startsWith("/admin/"))) {
            yield* open(Object.entries(own).reduce((path, [part, id]) => path.replace(part, id), address))
            assert.deepStrictEqual(yield* barriers(page), [], address)
          }
        }
      }),
    600_000
  )
})
