import type { ServiceAccount } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"

/** Names of what the server said of service accounts, and of keys. */
export const ACCOUNTS = ["service-accounts"]
export const KEYS = ["keys"]

/** Most of a page of a list. */
const MOST = 100

/** The newest service accounts, to choose from: as many as a page has. */
export const useAccounts = (): ReadonlyArray<ServiceAccount> => {
  const accounts = useQuery({
    queryKey: [...ACCOUNTS, "newest"],
    queryFn: ({ signal }) => client.serviceAccounts.list({ limit: MOST }, { signal })
  })
  return accounts.data?.data ?? []
}

export const useAccount = (id: string) =>
  useQuery({
    queryKey: [...ACCOUNTS, "one", id],
    queryFn: ({ signal }) => client.serviceAccounts.get(id, { signal })
  })

/** After a change of keys or of service accounts: lists and pages ask again. */
export const useKeysAgain = (): (() => Promise<void>) => {
  const cache = useQueryClient()
  return async () => {
    await Promise.all([cache.invalidateQueries({ queryKey: KEYS }), cache.invalidateQueries({ queryKey: ACCOUNTS })])
  }
}
