import { LlmSaasError, type OperatorToken } from "@llm-saas/client"
import { createOperatorClient, type OperatorClient } from "@llm-saas/client/plain/OperatorClient"
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query"
import { SERVER_URL } from "../../Place.ts"

/**
 * Who is at the operator's pages:
 *
 * - `starting`: it is not known yet whether this tab has a token.
 * - `off`: the server has no such addresses (`OPERATOR=off`).
 * - `out`: no token. `ended`: it had one, which the server refuses now. `failure`: why the server could not be asked.
 * - `in`: the operator, by `token`.
 */
export type OperatorState =
  | { readonly kind: "starting" }
  | { readonly kind: "off" }
  | { readonly kind: "out"; readonly ended?: boolean; readonly failure?: unknown }
  | { readonly kind: "in"; readonly token: OperatorToken; readonly client: OperatorClient }

/** The token lives as long as the tab: it is sent to `/operator` of this server, and nowhere else. */
const KEY = "llm-saas operator"

/** How a token looks. What does not is not sent. */
export const TOKEN = /^op-[A-Za-z0-9_-]+$/u

let state: OperatorState = { kind: "starting" }
const listeners = new Set<() => void>()

const become = (next: OperatorState) => {
  state = next
  for (const listener of listeners) listener()
}

let starting: Promise<void> | undefined

/** The operator of this tab, and changes of it. */
export const operator = {
  get state(): OperatorState {
    return state
  },

  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },

  /** Takes up the tab's token, if there is one. Once for a page. */
  start(): Promise<void> {
    starting ??= resume()
    return starting
  },

  /** Fails as the server refuses the token. */
  async enter(text: string): Promise<void> {
    const client = createOperatorClient({ url: SERVER_URL, token: text })
    const token = await client.whoami()
    keep(text)
    become({ kind: "in", client, token })
  },

  /** Forgets the token, and everything that was seen with it. */
  forget(ended = false): void {
    keep(undefined)
    operatorQueries.clear()
    become(ended ? { kind: "out", ended } : { kind: "out" })
  }
}

/** The server knows no such token, or not any more. */
export const isRefused = (error: unknown) => error instanceof LlmSaasError && error.code === "unauthenticated"

const refused = (error: unknown) => {
  if (state.kind === "in" && isRefused(error)) operator.forget(true)
}

/** What the server said to the operator. Apart from what it says to users: neither ends the other's session. */
export const operatorQueries = new QueryClient({
  queryCache: new QueryCache({ onError: refused }),
  mutationCache: new MutationCache({ onError: refused }),
  defaultOptions: { queries: { retry: false, staleTime: 5000 }, mutations: { retry: false } }
})

const kept = (): string | undefined => {
  try {
    return sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined
  }
}

const keep = (text: string | undefined) => {
  try {
    if (text === undefined) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, text)
  } catch {
    // Then it is forgotten with the page.
  }
}

async function resume() {
  const text = kept()
  try {
    // Without a token too: whether there are such addresses.
    await operator.enter(text ?? "none")
  } catch (error) {
    if (error instanceof LlmSaasError && error.status === 404) become({ kind: "off" })
    else if (isRefused(error)) {
      keep(undefined)
      become({ kind: "out", ...(text !== undefined && { ended: true }) })
    } else become({ kind: "out", failure: error })
  }
}
