import { useQuery } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Left } from "./Left.tsx"

/** How often (ms) what is left is asked for again while it is looked at. */
export const REFRESH_MS = 5000

type Whom = { readonly user: string } | { readonly key: string }

/** What is left to a user, a service account or a key: of its own limits, and of those that its plan sets for each. */
export const LeftOf = ({ refresh = false, whom }: { readonly whom: Whom; readonly refresh?: boolean }) => {
  const limits = useQuery({
    queryKey: ["limits", whom],
    queryFn: ({ signal }) => client.limitsOf(whom, { signal }),
    refetchInterval: refresh ? REFRESH_MS : false
  })
  if (limits.isPending) return <Loading />
  if (limits.data === undefined) return <Failure error={limits.error} retry={() => void limits.refetch()} />
  const scope = "user" in whom ? "user" : "key"
  const own = limits.data.data.find((each) => each.scope === scope)
  if (own === undefined) return <p className="soft">Nothing is limited, but for what holds for the whole tenant.</p>
  return <Left of={own} />
}
