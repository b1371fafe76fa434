import type { ManagedUser } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"

/** Names of what the server said of users. */
export const USERS = ["users"]

export const useUser = (id: string) =>
  useQuery({ queryKey: [...USERS, id], queryFn: ({ signal }) => client.admin.user(id, { signal }) })

/** After a user was changed: all lists of users, and the user's own page, ask again. */
export const useUsersAgain = (): (() => Promise<void>) => {
  const cache = useQueryClient()
  return () => cache.invalidateQueries({ queryKey: USERS })
}

export const ROLES: Readonly<Record<ManagedUser["role"], { readonly label: string; readonly may: string }>> = {
  user: { label: "User", may: "Asks, and sees their own messages, usage and keys." },
  admin: { label: "Admin", may: "Also manages users, keys, limits and settings, and sees the whole tenant's records." }
}
