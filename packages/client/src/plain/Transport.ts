import { failureOf, LlmSaasError } from "./LlmSaasError.ts"
import type { Problem } from "./Types.ts"

/** Options of every request. */
export interface RequestOptions {
  /** Aborts the request. The server stops an answer that has had no reader for a while. */
  readonly signal?: AbortSignal | undefined
}

export interface Sending extends RequestOptions {
  readonly json?: unknown
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** What keeps the access token of a session fresh: see `SessionKeeper`. */
interface Session {
  readonly fresh: () => Promise<void>
  readonly another: (refused: string | undefined) => Promise<boolean>
}

/** Wait before the second try. It doubles before each further try, up to the longest. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8000
/** Number of failed tries in a row, about half a minute in all, after which the failure is final. */
const TRIES = 8

/** Requests to one server, for one user. */
export class Transport {
  token: string | undefined
  /** Keeps the token fresh, where there is a session. */
  session: Session | undefined
  readonly #url: string
  readonly #fetch: typeof fetch

  constructor(url: string | URL, token: string | undefined, given: typeof fetch | undefined) {
    this.#url = String(url).replace(/(?<!\/)\/+$/u, "")
    this.token = token
    // A browser's fetch must be called on its window.
    this.#fetch = given ?? ((input, init) => fetch(input, init))
  }

  /** Sends a request once; throws if the status is not 2xx. With a session, the access token is renewed before or, if it is refused, then. */
  async open(method: string, path: string, sending: Sending = {}): Promise<Response> {
    await unless(sending.signal, this.session?.fresh())
    const { token } = this
    try {
      return await this.#once(method, path, sending)
    } catch (error) {
      const isRefused = error instanceof LlmSaasError && error.code === "unauthenticated"
      if (!isRefused || (await unless(sending.signal, this.session?.another(token))) !== true) throw error
      return this.#once(method, path, sending)
    }
  }

  /** Sends a request about the session itself, and reads its answer: nothing is renewed for it. */
  async alone<A>(method: string, path: string, sending: Sending): Promise<A> {
    return read(await this.#once(method, path, sending), sending.signal)
  }

  async #once(method: string, path: string, { headers, json, query, signal }: Sending): Promise<Response> {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value))
    const url = `${this.#url}${path}${search.size > 0 ? `?${search.toString()}` : ""}`
    let response: Response
    try {
      response = await this.#fetch(url, {
        method,
        headers: {
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(signal === undefined ? {} : { signal })
      })
    } catch (cause) {
      signal?.throwIfAborted()
      throw lost(cause)
    }
    if (!response.ok) throw await refused(response)
    return response
  }

  /** Sends a request whose answer has no body. */
  async done(method: string, path: string, sending: Sending = {}): Promise<void> {
    await this.open(method, path, sending)
  }

  /** Sends a request and reads its answer. */
  async send<A>(method: string, path: string, sending: Sending = {}): Promise<A> {
    return read(await this.open(method, path, sending), sending.signal)
  }

  /** As above, for repeatable requests: retries after a lost connection, or if the server is not available for the moment. */
  async retry<A>(method: string, path: string, sending: Sending = {}): Promise<A> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.send<A>(method, path, sending)
      } catch (error) {
        await waitFor(error, tries, sending.signal)
      }
    }
  }
}

/** The result, unless the signal is aborted before. */
const unless = <A>(signal: AbortSignal | undefined, work: Promise<A> | undefined): Promise<A> | undefined =>
  signal === undefined || work === undefined
    ? work
    : new Promise((resolve, reject) => {
        const abort = () => reject(signal.reason)
        if (signal.aborted) abort()
        signal.addEventListener("abort", abort, { once: true })
        work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort))
      })

/** Accepted, No Content. */
const WITHOUT_BODY: ReadonlyArray<number> = [202, 204]

const read = async <A>(response: Response, signal: AbortSignal | undefined): Promise<A> => {
  try {
    const text = await response.text()
    return JSON.parse(text === "" && WITHOUT_BODY.includes(response.status) ? "null" : text)
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof SyntaxError) throw invalid(response, cause)
    throw lost(cause)
  }
}

/** Waits until a failed request may be repeated; throws the failure if a retry is of no use. */
export const waitFor = async (error: unknown, tries: number, signal: AbortSignal | undefined): Promise<void> => {
  if (tries >= TRIES || !isPassing(error)) throw error
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
  await sleep(Math.max(wait, Math.min(LONGEST_WAIT_MS, (error.retryAfter ?? 0) * 1000)), signal)
}

/** A temporary failure: no connection, the server is not available or still answering, or a proxy could not reach it. */
export const isPassing = (error: unknown): error is LlmSaasError =>
  error instanceof LlmSaasError
  && (error.code === "connection_failed"
    || error.code === "unavailable"
    || error.code === "still_running"
    || (error.code === "invalid_answer" && error.status >= 502 && error.status <= 504))

const sleep = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort)
      resolve()
    }, milliseconds)
    signal?.addEventListener("abort", abort, { once: true })
  })

/** The connection was lost, or could not be opened. */
export const lost = (cause: unknown): LlmSaasError =>
  cause instanceof LlmSaasError
    ? cause
    : new LlmSaasError("The connection to the server failed", { code: "connection_failed", status: 0, cause })

const invalid = (response: Response, cause?: unknown) =>
  new LlmSaasError(`The answer is not this server's (HTTP ${response.status})`, {
    code: "invalid_answer",
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? undefined,
    cause
  })

const refused = async (response: Response): Promise<LlmSaasError> => {
  const text = await response.text().catch(() => "")
  const problem = parse(text)
  return problem === undefined ? invalid(response) : failureOf(problem)
}

const parse = (text: string): Problem | undefined => {
  try {
    const value = JSON.parse(text)
    return typeof value?.code === "string" && typeof value.status === "number" ? value : undefined
  } catch {
    return undefined
  }
}
