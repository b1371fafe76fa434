import type { Profile } from "@llm-saas/client"
import { useSyncExternalStore } from "react"
import { session, type SessionState } from "./session.ts"

/** The session, and again when it changes. */
export const useSession = (): SessionState => useSyncExternalStore(session.subscribe, () => session.state)

/** The user of a page that only users see. */
export const useProfile = (): Profile => {
  const state = useSession()
  if (state.kind !== "in") throw new Error("This page is for users who are logged in.")
  return state.profile
}
