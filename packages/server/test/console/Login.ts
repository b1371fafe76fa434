import { Effect } from "effect"
import { type Person as User, signUp } from "../People.ts"
import type { Send } from "../Running.ts"
import type { Person } from "./Person.ts"

/** A user who can log in at a browser. */
export interface Account extends User {
  readonly email: string
}

/** {@link signUp}, with the address. */
export const account = Effect.fnUntraced(function* (send: Send, of?: string) {
  const user = yield* signUp(send, of)
  const { body } = yield* send("GET", "/me", { token: user.token })
  return { ...user, email: String(body["email"]) } satisfies Account
})

/** Their browser has the cookie of a login, as if they had come through the login's page; then it opens an address of the console. */
export const openAs = ({ address, page }: Person, { email, tenant }: Account, path: string) =>
  Effect.promise(async () => {
    await page.goto(`${address}/login`)
    const status = await page.evaluate(
      async (body) => {
        const headers = { "content-type": "application/json", "x-csrf": "1" }
        const answer = await fetch("/login", { method: "POST", headers, body: JSON.stringify(body) })
        return answer.status
      },
      { username: email, password: "password123", tenant_id: tenant, session: "cookie" }
    )
    if (status !== 200) throw new Error(`no login: ${status}`)
    await page.goto(`${address}${path}`)
  })
