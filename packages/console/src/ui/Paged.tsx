import type { Page } from "@llm-saas/client"
import { useInfiniteQuery } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { Button } from "./Button.tsx"
import { Failure } from "./Failure.tsx"
import { Loading } from "./Loading.tsx"

interface Place {
  /** Undefined: the first page. */
  readonly cursor?: string
  readonly signal: AbortSignal
}

interface Options {
  /** It is read again so many milliseconds later, as long as the tab is seen. */
  readonly againMs?: number
}

/** A list that the server gives in pages. `key` names it, with everything that decides its rows. */
export const usePages = <Row,>(
  key: ReadonlyArray<unknown>,
  page: (place: Place) => Promise<Page<Row>>,
  { againMs }: Options = {}
) =>
  useInfiniteQuery({
    refetchInterval: againMs ?? false,
    queryKey: key,
    queryFn: ({ pageParam, signal }) => page({ signal, ...(pageParam === undefined ? {} : { cursor: pageParam }) }),
    initialPageParam: firstPage(),
    getNextPageParam: (last) => last.next_cursor
  })

const firstPage = (): string | undefined => undefined

interface Props<Row> {
  readonly pages: ReturnType<typeof usePages<Row>>
  /** What stands in the place of no rows. */
  readonly empty: ReactNode
  /** All rows that were fetched so far. */
  readonly children: (rows: ReadonlyArray<Row>) => ReactNode
}

/** The rows, a button for more of them, and what is said while they come, or if they do not. */
export const Paged = <Row,>({ children, empty, pages }: Props<Row>) => {
  if (pages.isPending) return <Loading />
  if (pages.data === undefined) return <Failure error={pages.error} retry={() => void pages.refetch()} />
  const rows = pages.data.pages.flatMap((page) => page.data)
  return (
    <div className="stack">
      {rows.length === 0 && !pages.hasNextPage ? empty : children(rows)}
      {pages.isError ? <Failure error={pages.error} retry={() => void pages.refetch()} /> : null}
      {pages.hasNextPage ? (
        <div className="row">
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show more
          </Button>
          <span className="soft small">{rows.length} shown</span>
        </div>
      ) : null}
    </div>
  )
}
