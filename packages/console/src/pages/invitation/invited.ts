// The token of an invitation comes in the fragment, as `#token=ot_…` or alone. It is kept for this tab, so that a reload finds it again, and
// is in no entry of the history.

const KEY = "llm-saas invitation"

/** The token that this page was opened with, or was opened with before a reload. Undefined: there is none. */
export const invitedBy = (): string | undefined => {
  const found = tokenIn(location.hash)
  try {
    if (found === undefined) return sessionStorage.getItem(KEY) ?? undefined
    sessionStorage.setItem(KEY, found)
  } catch {
    // Then a reload does not find it.
  }
  if (found !== undefined) history.replaceState(history.state, "", location.pathname + location.search)
  return found
}

export const forgetInvitation = (): void => {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // It was kept nowhere.
  }
}

/** The token in a fragment, if one has the look of it. */
export const tokenIn = (hash: string): string | undefined => /^#(?:token=)?(ot_[0-9A-Za-z]+)$/u.exec(hash)?.[1]
