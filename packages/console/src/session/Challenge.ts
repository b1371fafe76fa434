import { LlmSaasError, type Problem } from "@llm-saas/client"

/** A login that waits for its second step. */
export interface Challenge {
  readonly text: string
  /** By what it can go on. None: a first factor is set up with it. */
  readonly methods: ReadonlyArray<string>
  /** For `navigator.credentials.get`, where there is a passkey. */
  readonly passkey?: Problem["passkey"]
}

/** The challenge that a login was answered with, if it was. */
export const challengeOf = (error: unknown): Challenge | undefined => {
  if (!(error instanceof LlmSaasError) || error.code !== "second_factor_required") return undefined
  const { challenge, methods, passkey } = error.problem ?? {}
  return challenge === undefined
    ? undefined
    : { text: challenge, methods: methods ?? [], ...(passkey === undefined ? {} : { passkey }) }
}

/** The challenge that single sign-on in a browser leaves in the fragment: `#challenge=…&methods=totp,recovery_code&passkey={…}`. */
export const challengeIn = (hash: string): Challenge | undefined => {
  const members = new URLSearchParams(hash.replace(/^#/u, ""))
  const text = members.get("challenge")
  if (text === null || text === "") return undefined
  const passkey = asObject(members.get("passkey"))
  return {
    text,
    methods: (members.get("methods") ?? "").split(",").filter((each) => each !== ""),
    ...(passkey === undefined ? {} : { passkey })
  }
}

const asObject = (text: string | null): Problem["passkey"] => {
  try {
    const value: unknown = JSON.parse(text ?? "null")
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined
  } catch {
    return undefined
  }
}

const BEGUN = "llm-saas single sign-on"

/** Single sign-on is begun in this tab, by its own link. */
export const ssoBegins = (): void => {
  try {
    sessionStorage.setItem(BEGUN, "1")
  } catch {
    // Then the person is told to look twice.
  }
}

/** Whether the challenge is of a login that this tab began. Another site may send somebody here with one of its own account. */
export const isOwnChallenge = (): boolean => {
  try {
    return sessionStorage.getItem(BEGUN) !== null
  } catch {
    return false
  }
}

let found: Challenge | undefined

/** Takes a challenge out of the page's address, before anything else reads that. It is in no entry of the history afterwards. */
export const findChallenge = (): void => {
  found = challengeIn(location.hash)
  if (found !== undefined) history.replaceState(history.state, "", location.pathname + location.search)
}

/** The challenge that the page was opened with, until the login has ended or begins anew. */
export const openedWith = (): Challenge | undefined => found

export const forgetChallenge = (): void => {
  found = undefined
  try {
    sessionStorage.removeItem(BEGUN)
  } catch {
    // It was kept nowhere.
  }
}
