import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { randomUUID } from "node:crypto"
import type { Person } from "../People.ts"
import type { Sent } from "./Cutting.ts"

/** What a tenant's user owns: acknowledged, and so required to exist at the end. */
export interface Hand {
  readonly person: Person
  readonly messages: Set<string>
  readonly conversations: Set<string>
  readonly users: Set<string>
  readonly generations: Set<string>
}

type Chance = () => number

/** Every operation of the contract, read from the document, so that a new one is included. */
export const OPERATIONS: ReadonlyArray<readonly [method: string, path: string]> = Object.entries<object>(
  JSON.parse(readFileSync(fileURLToPath(new URL("../../../api/openapi.json", import.meta.url)), "utf8")).paths
).flatMap(([path, methods]) =>
  Object.keys(methods).map((method): readonly [string, string] => [method.toUpperCase(), path])
)

const any = (set: ReadonlySet<string>, chance: Chance) => {
  const all = [...set]
  return all[Math.floor(chance() * all.length)] ?? randomUUID()
}

/** A unique email, so that none is taken. */
const address = () => `${randomUUID()}@cut.test`

/** An id for the path, of what the user owns; what is deleted is owned no longer. */
const idFor = (method: string, path: string, hand: Hand, chance: Chance): string => {
  const kind = path.split("/")[1] ?? ""
  if (kind === "tenants") return hand.person.tenant
  const owned = kind === "messages" ? hand.messages : kind === "conversations" ? hand.conversations : undefined
  if (kind === "generations") return any(hand.generations, chance)
  if (kind === "admin") {
    // The last admin cannot go, and changes nothing of their own here.
    const user = any(hand.users, chance)
    hand.users.delete(user)
    return user
  }
  if (owned === undefined) return randomUUID()
  // Most of what is made is kept until the end.
  if (method === "DELETE" && chance() < 0.7) return randomUUID()
  const id = any(owned, chance)
  if (method === "DELETE") owned.delete(id)
  return id
}

const bodyFor = (method: string, path: string, hand: Hand, chance: Chance): unknown => {
  const { person } = hand
  const conversation = chance() < 0.3 && hand.conversations.size > 0 ? any(hand.conversations, chance) : undefined
  switch (`${method} ${path}`) {
    case "POST /create-tenant":
      return { name: `Cut ${person.tenant.slice(-4)}` }
    case "PATCH /tenants/{id}":
      return { registration: "open" }
    case "POST /register":
      return { email: address(), password: "password123", tenant_id: person.tenant }
    case "POST /login":
      return { username: address(), password: "password123", tenant_id: person.tenant }
    case "POST /me/password":
      // Wrong, so that the token lives on.
      return { current_password: "not this one", new_password: "correct horse battery" }
    case "POST /messages":
    case "POST /messages/stream":
      return {
        content: `of ${person.tenant}`,
        ...(conversation === undefined ? {} : { conversation_id: conversation })
      }
    case "POST /messages/{id}/feedback":
      return { rating: 1 }
    case "POST /conversations":
    case "PATCH /conversations/{id}":
      return { title: `of ${person.tenant}` }
    case "POST /keys":
      return { name: `of ${person.tenant}`, scopes: ["chat"] }
    case "POST /service-accounts":
      return { name: `of ${person.tenant}` }
    case "POST /provider-keys":
      return { provider: "mock", name: `of ${person.tenant}`, key: "sk-cut" }
    case "PATCH /provider-keys/{id}":
      return { disabled: true }
    case "POST /tenants/{id}/invitations":
      return { email: address() }
    case "POST /invitations/look":
      return { token: "ot_cut" }
    case "POST /invitations/accept":
      return { token: "ot_cut", password: "correct horse battery" }
    case "POST /admin/users":
      return { email: address(), password: "password123", role: "user" }
    case "PATCH /admin/users/{id}":
      return { role: "user" }
    default:
      return method === "GET" || method === "DELETE" ? undefined : {}
  }
}

/** One request for the operation, as the user would send it. */
export const requestFor = (operation: readonly [string, string], hand: Hand, chance: Chance): Sent => {
  const [method, path] = operation
  const filled = path.replaceAll(/\{[^}]+\}/gu, () => idFor(method, path, hand, chance))
  const query = path === "/messages/stream" && method === "GET" ? `?content=of+${hand.person.tenant}` : ""
  return { method, path: filled + query, token: hand.person.token, body: bodyFor(method, path, hand, chance) }
}

const CALLS: ReadonlyArray<(hand: Hand, chance: Chance) => readonly [tag: string, payload: unknown]> = [
  () => ["accounts.me", null],
  () => ["messages.list", {}],
  () => ["conversations.list", {}],
  ({ person }) => ["messages.ask", { content: `of ${person.tenant}` }],
  ({ person }) => ["messages.stream", { content: `of ${person.tenant}` }],
  ({ person }) => ["tenants.isolation", { id: person.tenant }],
  ({ messages }, chance) => ["messages.get", { id: any(messages, chance) }],
  ({ generations }, chance) => ["generations.get", { id: any(generations, chance) }]
]

/** Several RPC calls in one request. */
export const callsFor = (hand: Hand, chance: Chance): Sent => ({
  method: "POST",
  path: "/rpc",
  token: hand.person.token,
  type: "application/x-ndjson",
  body: [1, 2]
    .map((id) => {
      const [tag, payload] = CALLS[Math.floor(chance() * CALLS.length)]?.(hand, chance) ?? ["accounts.me", null]
      return `${JSON.stringify({ _tag: "Request", id: String(id), tag, payload, headers: [] })}\n`
    })
    .join("")
})
