import { useQuery } from "@tanstack/react-query"
import { collect } from "../../collect.ts"
import { client } from "../../session/session.ts"

const KEEP_MS = 5 * 60_000
/** Names by id. What is not among the first 1,000 is shown by its id. */
export type Names = ReadonlyMap<string, string>

/** The email addresses of a tenant's people, and the names of its service accounts. For admins. */
export const usePeople = (tenant: string, enabled: boolean): Names =>
  useQuery({
    queryKey: ["names of people", tenant],
    staleTime: KEEP_MS,
    enabled,
    queryFn: async ({ signal }) => {
      const [users, accounts] = await Promise.all([
        collect((query) => client.tenants.users(tenant, query, { signal })),
        collect((query) => client.serviceAccounts.list(query, { signal }))
      ])
      return new Map([
        ...users.map(({ email, id }) => [id, email] as const),
        ...accounts.map(({ id, name }) => [id, name] as const)
      ])
    }
  }).data ?? NONE

/** The names of API keys: one's own, or for admins those of the tenant. */
export const useKeyNames = (scope: "own" | "tenant", enabled: boolean): Names =>
  useQuery({
    queryKey: ["names of keys", scope],
    staleTime: KEEP_MS,
    enabled,
    queryFn: async ({ signal }) => {
      const keys = await collect((query) => client.keys.list({ ...query, scope }, { signal }))
      return new Map(keys.map(({ id, name }) => [id, name]))
    }
  }).data ?? NONE

const NONE: Names = new Map()
