import { type Client, createClient, LlmSaasError, type Profile } from "@llm-saas/client"
import { CONSOLE_PATH, SERVER_URL } from "../Place.ts"
import { remember } from "./KnownTenants.ts"

/**
 * Who uses the console:
 *
 * - `starting`: the page has just been opened, and asks whether its cookie has a session.
 * - `out`: no one is logged in. `reason` says why, where a person should know.
 * - `in`: a user, with what the server says of them.
 */
export type SessionState =
  | { readonly kind: "starting" }
  | { readonly kind: "out"; readonly reason?: "ended" | "unreachable" }
  | { readonly kind: "in"; readonly profile: Profile }

/** The one client of all pages. Its access token is in memory; what renews it is in a cookie that no script reads. */
export const client: Client = createClient({
  url: SERVER_URL,
  // The cookie is of another login now, of another user maybe: nothing of this page is theirs.
  onSessionReplaced: () => {
    become({ kind: "starting" })
    location.reload()
  }
})

/** Other tabs of the console share the cookie: they are told when it is of somebody else, or of nobody. */
const tabs = new BroadcastChannel("llm-saas console")

let state: SessionState = { kind: "starting" }
const listeners = new Set<() => void>()

const become = (next: SessionState) => {
  state = next
  if (next.kind === "in") remember(next.profile.tenant)
  for (const listener of listeners) listener()
}

let starting: Promise<void> | undefined

/** The session of this page, and its changes. */
export const session = {
  get state(): SessionState {
    return state
  },

  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },

  /** Takes up the session of the cookie, if there is one. Once for a page. */
  start(): Promise<void> {
    starting ??= resume()
    return starting
  },

  /** A login has succeeded: `client` has its token. */
  async entered(): Promise<void> {
    const profile = await client.me()
    become({ kind: "in", profile })
    tabs.postMessage("changed")
  },

  /** The cookie is of another account of the person now: every tab begins anew, this one at the start. */
  switched(): void {
    // Nothing of the account before is shown with what the new one may see.
    become({ kind: "starting" })
    tabs.postMessage("changed")
    location.assign(CONSOLE_PATH)
  },

  /** What the server says of the user now. */
  async refresh(): Promise<void> {
    const profile = await client.me()
    become({ kind: "in", profile })
  },

  /** Ends the session, here and in all tabs. */
  async leave(): Promise<void> {
    // Also where the server is not reached: this page forgets the token in any case.
    await client.logout().catch(() => undefined)
    become({ kind: "out" })
    tabs.postMessage("changed")
  },

  /** The server has refused the session's token, and gave no other. */
  ended(): void {
    if (state.kind === "in") become({ kind: "out", reason: "ended" })
  }
}

tabs.addEventListener("message", () => location.reload())

async function resume() {
  try {
    await client.renew({ cookie: true })
    await session.refresh()
  } catch (error) {
    const known = error instanceof LlmSaasError && error.status >= 400 && error.status < 500
    become(known ? { kind: "out" } : { kind: "out", reason: "unreachable" })
  }
}
