import { useQuery } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { count, dollars } from "../../ui/format.ts"

/** What each key was used for this month (UTC), by its id: one's own keys, or for admins all of the tenant. As many keys as a report has. */
export const useUsed = (scope: "own" | "tenant"): ReadonlyMap<string, string> => {
  const usage = useQuery({
    queryKey: ["usage", scope, "keys of this month"],
    queryFn: ({ signal }) => client.usage.report({ group_by: ["key"], scope, limit: 1000 }, { signal })
  })
  return new Map(
    (usage.data?.data ?? []).flatMap(({ cost_usd, key_id, requests }) =>
      typeof key_id === "string"
        ? [[key_id, `${count(requests)} ${requests === 1 ? "request" : "requests"}, ${dollars(cost_usd)}`] as const]
        : []
    )
  )
}
