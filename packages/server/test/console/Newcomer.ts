import { Effect } from "effect"
import type { Send } from "../Running.ts"
import type { Person } from "./Person.ts"

/** An account, as its owner knows it. */
export interface Account {
  readonly email: string
  readonly password: string
  readonly tenant: string
  /** An access token, to ask the API beside the browser. */
  readonly token: string
}

let accounts = 0

/** An account of a tenant; without one, the first admin of another tenant. */
export const newcomer = Effect.fnUntraced(function* (
  send: Send,
  given: { readonly tenant?: string; readonly email?: string; readonly name?: string } = {}
): Effect.fn.Return<Account> {
  const { email = `newcomer${++accounts}@acme.test`, name = "Acme Corp" } = given
  const tenant = given.tenant ?? String((yield* send("POST", "/create-tenant", { json: { name } })).body["id"])
  const password = `correct horse ${++accounts} staple`
  yield* send("POST", "/register", { json: { email, password, tenant_id: tenant } })
  const login = yield* send("POST", "/login", { json: { username: email, password, tenant_id: tenant } })
  const token = login.body["access_token"]
  if (typeof token !== "string") return yield* Effect.die(new Error(`no token: ${JSON.stringify(login)}`))
  return { email, password, tenant, token }
})

/** The first step of a login at the console's own page; `path` is where it goes on. */
export const password = ({ address, page }: Person, { email, password, tenant }: Account, path = "/account") =>
  Effect.promise(async () => {
    await page.goto(`${address}/login?${new URLSearchParams({ to: path, tenant }).toString()}`)
    await page.getByLabel("Email").fill(email)
    await page.getByRole("button", { name: "Continue" }).click()
    await page.getByLabel("Password").fill(password)
    await page.getByRole("button", { name: "Log in" }).click()
  })
