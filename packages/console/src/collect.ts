import type { Page } from "@llm-saas/client"

/** So many pages of 100 are looked through, of a list that is only wanted for the names in it. */
const MOST_PAGES = 10

interface Place {
  readonly limit: number
  readonly cursor?: string
}

/** The first rows of a list of pages, 1,000 at most. */
export const collect = async <Row>(page: (place: Place) => Promise<Page<Row>>): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  let cursor: string | null = ""
  for (let pages = 0; pages < MOST_PAGES && cursor !== null; pages++) {
    const next: Page<Row> = await page({ limit: 100, ...(cursor === "" ? {} : { cursor }) })
    rows.push(...next.data)
    cursor = next.next_cursor
  }
  return rows
}
