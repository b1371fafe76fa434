import { LlmSaasError } from "./LlmSaasError.ts"
import { lost, type Sending, type Transport, waitFor } from "./Transport.ts"
import type { Token } from "./Types.ts"

/**
 * Where the refresh token of a session is kept, such as `localStorage`. Tabs and processes that share one share the session. It is as good as
 * the password for as long as the session lasts.
 */
export interface SessionStore {
  readonly load: () => string | undefined | Promise<string | undefined>
  /** Undefined: the session is over. */
  readonly save: (refreshToken: string | undefined) => void | Promise<void>
}

/** A store in memory, of this client alone. */
export const inMemory = (): SessionStore => {
  let kept: string | undefined
  return {
    load: () => kept,
    save: (refreshToken) => {
      kept = refreshToken
    }
  }
}

/** How long (ms) a renewal is tried, and one try of it: the server gives a lost answer again for 30 seconds. */
const RENEWAL_MS = 20_000
const TRY_MS = 8000

/** An access token is renewed when less than this part of its life is left, or this many milliseconds. */
const LAST_PART = 0.1
const SOON_MS = 60_000

/**
 * Keeps a session's access token fresh. One renewal at a time, for all requests of the client, and where the platform has locks for all tabs
 * of a page; the refresh token is read from the store each time, which another tab may have renewed. Two that send the same one at once get
 * the same successor from the server. A client stays in the session that it is in: where a renewal finds another login's, it ends instead.
 */
export class SessionKeeper {
  readonly #transport: Transport
  readonly #store: SessionStore
  /** Told when another login took the session's place in the store or the cookie. */
  readonly #onReplaced: () => void
  #inCookie = false
  /** Which session this client is in. A renewal keeps it; another one is another login, maybe of another user. */
  #id: string | undefined
  /** When (ms, monotonic) the access token is due; undefined: there is no session. */
  #due: number | undefined
  #renewing: Promise<Token> | undefined
  /** Counts logins: a renewal that one overtook is of another login, and counts no more. */
  #login = 0

  constructor(transport: Transport, store: SessionStore, onReplaced: () => void = () => undefined) {
    this.#transport = transport
    this.#store = store
    this.#onReplaced = onReplaced
  }

  /** Keeps what a login answered, in the place of any session before. */
  async begin<A extends Token>(token: A): Promise<A> {
    this.#login++
    this.#due = undefined
    this.#id = undefined
    this.#inCookie = false
    this.#renewing = undefined
    if (token.refresh_token === undefined) await this.#store.save(undefined)
    await this.keep(token)
    return token
  }

  /** Keeps what a renewal or a changed password answered. */
  async keep(token: Token): Promise<Token> {
    this.#transport.token = token.access_token
    // A changed password gives another access token alone.
    if (token.refresh_expires_in !== undefined) this.#inCookie = token.refresh_token === undefined
    if (token.refresh_token !== undefined) await this.#store.save(token.refresh_token)
    if (token.session_id !== undefined) {
      this.#id = token.session_id
      const life = token.expires_in * 1000
      this.#due = performance.now() + Math.max(life / 2, life - Math.max(SOON_MS, life * LAST_PART))
    }
    return token
  }

  /** Renews the access token if it is due. What keeps it from that, its request will tell. */
  async fresh(): Promise<void> {
    if (this.#due !== undefined && performance.now() >= this.#due) await this.renew().catch(() => undefined)
  }

  /** Whether another access token than `refused` could be had. */
  async another(refused: string | undefined): Promise<boolean> {
    if (this.#due === undefined && (await this.#store.load()) === undefined) return false
    if (this.#transport.token !== refused) return true
    return this.renew().then(
      () => true,
      () => false
    )
  }

  /** Renews the access token now. */
  renew(inCookie = this.#inCookie): Promise<Token> {
    if (this.#renewing !== undefined) return this.#renewing
    const renewing = alone(() => this.#renew(inCookie)).finally(() => {
      if (this.#renewing === renewing) this.#renewing = undefined
    })
    this.#renewing = renewing
    return renewing
  }

  /** The session is over. */
  async forget(): Promise<void> {
    this.#login++
    this.#due = undefined
    this.#id = undefined
    this.#transport.token = undefined
    if (!this.#inCookie) await this.#store.save(undefined)
  }

  /**
   * Another login, such as one in another tab, has taken this session's place. Requests that were begun for one user are not sent as another:
   * this client has no session any more. The other one goes on, with the refresh token that has just been given for it.
   */
  async #replaced({ refresh_token }: Token): Promise<never> {
    if (refresh_token !== undefined) await this.#store.save(refresh_token)
    this.#login++
    this.#due = undefined
    this.#id = undefined
    this.#transport.token = undefined
    this.#onReplaced()
    throw new LlmSaasError("Another login took the place of this session", { code: "session_replaced", status: 0 })
  }

  /** What a request about the session itself is sent with. */
  async sending(inCookie = this.#inCookie): Promise<Sending> {
    if (inCookie) return { headers: { "x-csrf": "1" }, json: {} }
    const refresh_token = await this.#store.load()
    return { json: refresh_token === undefined ? {} : { refresh_token } }
  }

  async #renew(inCookie: boolean): Promise<Token> {
    const login = this.#login
    const { headers = {}, json } = await this.sending(inCookie)
    // The same token each time: an answer that was lost is given again.
    const body = { ...Object(json), grant_type: "refresh_token" }
    const until = performance.now() + RENEWAL_MS
    for (let tries = 1; ; tries++) {
      try {
        const signal = AbortSignal.timeout(TRY_MS)
        const token = await this.#transport.alone<Token>("POST", "/token", { headers, json: body, signal })
        if (login !== this.#login) return token
        if (this.#id !== undefined && token.session_id !== this.#id) return this.#replaced(token)
        return await this.keep(token)
      } catch (cause) {
        const error = lost(cause)
        if (error.code === "invalid_grant" && login === this.#login) await this.forget()
        await waitFor(error, tries, undefined)
        // Later than that the same token would be in two hands, and end the session.
        if (performance.now() >= until) throw error
      }
    }
  }
}

/** One at a time in all tabs of a page, where the platform can say so (Web Locks). */
const alone = <A>(work: () => Promise<A>): Promise<A> => {
  const isPage = "document" in globalThis && "locks" in navigator
  return isPage ? navigator.locks.request("llm-saas session", work) : work()
}
