import type { About } from "@llm-saas/client"
import { useQuery, type UseQueryResult } from "@tanstack/react-query"
import { client } from "../../session/session.ts"

export const ABOUT = ["about"]

/** What the installation is. */
export const useAbout = (): UseQueryResult<About> =>
  useQuery({ queryKey: ABOUT, queryFn: ({ signal }) => client.about({ signal }), staleTime: 60_000 })
