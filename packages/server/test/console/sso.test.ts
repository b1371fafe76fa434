import { CLIENT, interact, makeProvider, type Person as ProviderPerson } from "@llm-saas/testing/OidcServer"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { noBrowser } from "../client/Browser.ts"
import { Running } from "../Running.ts"
import { codeAt } from "../Totp.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { newcomer, password } from "./Newcomer.ts"
import { person } from "./Person.ts"

/** A provider of the installation, and its people by their subject. It sends browsers back to the program's own port. */
class AcmeId extends Context.Service<
  AcmeId,
  { readonly issuer: string; readonly people: Map<string, ProviderPerson> }
>()("test/console/AcmeId") {}

const Program = Layer.unwrap(
  Effect.gen(function* () {
    const server = createServer()
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const issuer = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    const people = new Map<string, ProviderPerson>()
    const provider = Layer.effect(
      AcmeId,
      Effect.gen(function* () {
        const { port } = yield* Running
        const made = makeProvider(issuer, people, `http://localhost:${port}/sso/callback`)
        const callback = made.callback()
        server.on("request", (request, response) => {
          if (request.url?.startsWith("/interaction/") === true) interact(made, request, response)
          else void callback(request, response)
        })
        return AcmeId.of({ issuer, people })
      })
    )
    const program = consoleServer({
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_NAME: "acme-id",
      OIDC_TITLE: "Acme ID"
    })
    return Layer.provideMerge(provider, program)
  })
).pipe(Layer.provideMerge(TestDatabase.layer))

layer(Program, { timeout: "120 seconds" })("at a provider of the installation", (it) => {
  it.effect.skipIf(noBrowser)(
    "a person links an account, logs in to it from then on, with its second factor too, and ends that",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { issuer, people } = yield* AcmeId
        const account = yield* newcomer(send)
        const { token } = account
        const subject = randomUUID()
        people.set(subject, { email: "ada@elsewhere.test", email_verified: true })
        const somebody = yield* person()
        const { address, page } = somebody
        yield* password(somebody, account, "/account/security")
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Link Acme ID" }).click()
          await page.getByRole("dialog", { name: "Is it you?" }).getByLabel("Password").fill(account.password)
          await page.getByRole("button", { name: "It is me" }).click()
          // The provider's own page.
          await page.getByLabel("Who are you?").fill(subject)
          await page.getByRole("button", { name: "Log in" }).click()
          await page.getByRole("region", { name: "People at identity providers" }).getByText(issuer).waitFor()
        })
        const leave = async () => {
          await page.getByRole("button", { name: account.email }).click()
          await page.getByRole("menuitem", { name: "Log out" }).click()
          await page.getByRole("heading", { name: "Log in" }).waitFor()
        }
        yield* Effect.promise(async () => {
          await leave()
          await page.goto(`${address}/account/sessions`)
          await page.getByRole("link", { name: "Continue with Acme ID" }).click()
          // Logged in there still: straight back, to the page that was wanted.
          await page.getByRole("heading", { name: "Sessions" }).waitFor()
          await leave()
          // That login is over: a challenge that another site sends is not of it.
          await page.goto(`${address}/login?from=elsewhere#challenge=lc_x&methods=totp`)
          await page.getByText("You were sent here").waitFor()
        })

        const proof = yield* send("POST", "/me/proof", { token, json: { password: account.password } })
        const headers = { proof: String(proof.body["proof"]) }
        const secret = String((yield* send("POST", "/me/factors/totp", { token, headers, json: {} })).body["secret"])
        const added = yield* send("POST", "/me/factors/totp/confirm", { token, json: { code: codeAt(secret) } })
        const [recovery = ""]: ReadonlyArray<string> = Object(added.body["recovery_codes"])
        yield* Effect.promise(async () => {
          await page.goto(`${address}/account/security`)
          await page.getByRole("link", { name: "Continue with Acme ID" }).click()
          await page.getByLabel("Code", { exact: true }).waitFor()
          // This tab began it.
          assert.strictEqual(await page.getByText("You were sent here").count(), 0)
          assert.notInclude(page.url(), "challenge")
          await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, 1))
          await page.getByRole("button", { name: "Log in", exact: true }).click()
          await page.getByRole("button", { name: "Unlink" }).click()
          await page
            .getByRole("dialog", { name: "Unlink this person?" })
            .getByRole("button", { name: "Unlink" })
            .click()
          // The password is no proof any more.
          const proving = page.getByRole("dialog", { name: "Is it you?" })
          await proving.getByRole("button", { name: "Use a recovery code" }).click()
          await proving.getByLabel("Recovery code").fill(recovery)
          await proving.getByRole("button", { name: "It is me" }).click()
          await page.getByText("nobody logs in to it elsewhere").waitFor()
        })
        assert.deepStrictEqual([...somebody.faults], [])
        assert.deepStrictEqual(
          somebody.strangers.filter((url) => !url.startsWith(`${issuer}/`)),
          []
        )
      }).pipe(Effect.scoped)
  )
})
