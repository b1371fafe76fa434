import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { linkTo } from "../Links.ts"
import { spawned } from "../Process.ts"
import { Running } from "../Running.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { newcomer, password } from "./Newcomer.ts"
import { barriers, person } from "./Person.ts"

/** What a command of a shell writes. */
const shell = Effect.fnUntraced(function* (command: string) {
  const run = yield* spawned("/bin/sh", ["-c", command], {})
  yield* run.ended
  return run.output().stdout
})

layer(consoleServer({ MOCK_TTFT_MS: "0", MOCK_TOKENS: "8" }), { timeout: "120 seconds" })(
  "the pages of an account",
  (it) => {
    it.effect.skipIf(noBrowser)("make a key that a command uses as it stands, and revoke it", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const account = yield* newcomer(send)
        const somebody = yield* person()
        const { page } = somebody
        const dialog = page.getByRole("dialog")
        yield* password(somebody, account, "/account/keys")
        yield* Effect.promise(async () => {
          await page.getByText("No keys yet").waitFor()
          await page.getByRole("button", { name: "Make a key" }).click()
          await dialog.getByLabel("Name").fill("support bot")
          await dialog.getByRole("button", { name: "Make the key" }).click()
          await dialog.getByText("shown this once").waitFor()
        })
        const command = yield* Effect.promise(() =>
          dialog
            .getByText(/^curl /u)
            .first()
            .innerText()
        )
        assert.include(yield* shell(command), '"status":"completed"')
        yield* Effect.promise(async () => {
          await dialog.getByRole("button", { name: "I have it" }).click()
          await page.getByRole("region", { name: "API keys" }).getByText("support bot").waitFor()
        })
        const secret = /sk-[0-9A-Za-z]{16}-[0-9A-Za-z]{49}/u.exec(command)?.[0] ?? assert.fail(command)
        assert.notInclude(yield* Effect.promise(() => page.content()), secret)
        assert.deepStrictEqual(yield* barriers(page), [])
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: "support bot" }).click()
          await page.getByRole("button", { name: "Revoke" }).click()
          await dialog.getByRole("button", { name: "Revoke it" }).click()
          await page.getByText("No keys yet").waitFor()
        })
        assert.include(yield* shell(command), '"status":401')
        assert.deepStrictEqual([...somebody.faults], [])
      }).pipe(Effect.scoped)
    )

    it.effect.skipIf(noBrowser)("change a password, which ends the other sessions and not this one", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const account = yield* newcomer(send)
        const [here, elsewhere] = [yield* person(), yield* person()]
        yield* password(here, account, "/account/security")
        yield* password(elsewhere, account, "/account/security")
        yield* Effect.promise(async () => {
          await elsewhere.page.getByRole("heading", { name: "Security" }).waitFor()
          const { page } = here
          await page.getByRole("button", { name: "Change the password" }).click()
          await page.getByLabel("Password now").fill(account.password)
          await page.getByLabel("New password").fill("password1234")
          await page.getByRole("button", { name: "Change it" }).click()
          await page.getByRole("dialog").getByText("many people choose").first().waitFor()
          await page.getByLabel("New password").fill("incorrect horse staple")
          await page.getByRole("button", { name: "Change it" }).click()
          await page.getByText("Your password is changed").waitFor()
          await page.reload()
          await page.getByRole("heading", { name: "Security" }).waitFor()
          await elsewhere.page.getByRole("link", { name: "Sessions" }).click()
          await elsewhere.page.getByText("Your session has ended").waitFor()
        })
        assert.deepStrictEqual([...here.faults, ...elsewhere.faults], [])
      }).pipe(Effect.scoped)
    )

    it.effect.skipIf(noBrowser)("begin with an invitation, whose link is in no address afterwards", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const admin = yield* newcomer(send, { name: "Inviting Ltd" })
        const email = "carol@acme.test"
        const invited = yield* send("POST", `/tenants/${admin.tenant}/invitations`, {
          token: admin.token,
          json: { email, role: "user" }
        })
        assert.strictEqual(invited.status, 201, JSON.stringify(invited.body))
        const token = yield* linkTo(email)
        const somebody = yield* person()
        const { address, page } = somebody
        // In the browser of somebody else, whose session it takes the place of.
        yield* password(somebody, admin, "/account/sessions")
        yield* Effect.promise(async () => {
          await page.goto(`${address}/invitation#token=${token}`)
          await page.getByText("Inviting Ltd").waitFor()
        })
        assert.deepStrictEqual(yield* barriers(page), [])
        assert.notInclude(page.url(), token)
        yield* Effect.promise(async () => {
          // It is there after a reload.
          await page.reload()
          await page.getByLabel("Password").fill("a password of carol")
          await page.getByRole("button", { name: "Accept" }).click()
          await page.waitForURL((url) => !url.pathname.endsWith("/invitation"))
          await page.goto(`${address}/account`)
          await page.getByRole("main").getByText("Inviting Ltd").waitFor()
          // Once only.
          await page.goto(`${address}/invitation#token=${token}`)
          await page.getByRole("alert").waitFor()
        })
        assert.deepStrictEqual([...somebody.faults], [])
      }).pipe(Effect.scoped)
    )
  }
)
