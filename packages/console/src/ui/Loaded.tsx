import { LlmSaasError } from "@llm-saas/client"
import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { Empty } from "./Empty.tsx"
import { Failure } from "./Failure.tsx"
import { Loading } from "./Loading.tsx"

/** What is not there, is somebody else's, or has an id that is none: the server does not tell the first two apart, and neither does a page. */
export const isMissing = (error: unknown): boolean =>
  error instanceof LlmSaasError && (error.status === 404 || error.code === "invalid_request")

interface Props<Data> {
  readonly query: UseQueryResult<Data>
  /** What it is, such as `user`: of one that is not there, its page says that it does not exist. */
  readonly what: string
  /** Where to go from one that does not exist. */
  readonly back?: ReactNode
  readonly children: (data: Data) => ReactNode
}

/** One thing that the server is asked for: it, or why it is not shown. */
export const Loaded = <Data,>({ back, children, query, what }: Props<Data>) => {
  if (query.isPending) return <Loading />
  if (isMissing(query.error))
    return (
      <Empty title={`This ${what} does not exist`}>
        <p className="soft">It was deleted, or its address is wrong.</p>
        {back}
      </Empty>
    )
  if (query.data === undefined) return <Failure error={query.error} retry={() => void query.refetch()} />
  return (
    <>
      {query.isError ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
      {children(query.data)}
    </>
  )
}
