import { Effect } from "effect"
import type { Send } from "./Running.ts"

/** A user who has logged in. */
export interface Person {
  readonly id: string
  readonly tenant: string
  readonly token: string
}

let people = 0

/** A new user, registered and logged in: the admin of a new tenant, or a user of the given one. */
export const signUp = Effect.fnUntraced(function* (send: Send, of?: string): Effect.fn.Return<Person> {
  const tenant = of ?? String((yield* send("POST", "/create-tenant", { json: { name: "Acme Corp" } })).body["id"])
  const email = `person${++people}@acme.test`
  const password = "password123"
  const made = yield* send("POST", "/register", { json: { email, password, tenant_id: tenant } })
  const login = yield* send("POST", "/login", { json: { username: email, password, tenant_id: tenant } })
  const token = login.body["access_token"]
  if (typeof token !== "string") return yield* Effect.die(new Error(`no token: ${JSON.stringify([made, login])}`))
  return { id: String(made.body["id"]), tenant, token }
})
