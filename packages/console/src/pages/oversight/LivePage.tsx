import type { AnswerUnderWay } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Figure, Figures } from "../../ui/Figures.tsx"
import { count, duration, moment, perSecond } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { doorName } from "../usage/doors.ts"

const KEY = ["answers under way"]
const AGAIN_MS = 2000

/** Answers of all users that are not over. Read again every two seconds while the tab is seen. */
export const LivePage = () => {
  const pages = usePages<AnswerUnderWay>(
    KEY,
    ({ signal, ...place }) => client.generations.list({ ...place, scope: "tenant" }, { signal }),
    { againMs: AGAIN_MS }
  )
  return (
    <Page
      title="Live"
      about={`Answers under way, of all users of the tenant. Nothing of their text is here. Read again every ${AGAIN_MS / 1000} s.`}
    >
      <Paged
        pages={pages}
        empty={
          <Empty title="No answer is under way">
            <p>Questions that are asked now, in the console or with a key, are listed here until they are answered.</p>
          </Empty>
        }
      >
        {(rows) => (
          <>
            <Sums rows={rows} more={pages.hasNextPage} />
            <Answers rows={rows} now={pages.dataUpdatedAt} />
          </>
        )}
      </Paged>
    </Page>
  )
}

const Sums = ({ more, rows }: { readonly rows: ReadonlyArray<AnswerUnderWay>; readonly more: boolean }) => (
  <Figures label="Of all that are shown">
    <Figure title="Answers under way" value={`${count(rows.length)}${more ? " or more" : ""}`} />
    <Figure title="Tokens so far" value={count(rows.reduce((sum, { tokens }) => sum + tokens, 0))} />
    <Figure
      title="Together"
      value={perSecond(rows.reduce((sum, { tokens_per_second }) => sum + (tokens_per_second ?? 0), 0))}
    />
  </Figures>
)

interface Props {
  readonly rows: ReadonlyArray<AnswerUnderWay>
  /** When they were read, in milliseconds. */
  readonly now: number
}

const Answers = ({ now, rows }: Props) => {
  const cache = useQueryClient()
  return (
    <Table
      label="Answers under way"
      rows={rows}
      rowKey={({ id }) => id}
      columns={[
        {
          title: "Who",
          cell: ({ key, user }) => (
            <div className="stack tight">
              <span>{user.email ?? user.name ?? <code>{user.id}</code>}</span>
              {key === null ? null : <span className="small soft">with the key {key.name}</span>}
            </div>
          )
        },
        { title: "Model", cell: ({ model }) => model },
        { title: "Door", cell: ({ door }) => doorName(door) },
        {
          title: "For",
          number: true,
          cell: ({ started_at }) => (
            <time dateTime={started_at} title={moment(started_at)}>
              {duration(Math.max(0, now - Date.parse(started_at)))}
            </time>
          )
        },
        { title: "Tokens", number: true, cell: ({ tokens }) => count(tokens) },
        {
          title: "Speed",
          number: true,
          cell: ({ tokens_per_second }) =>
            tokens_per_second === null ? <span className="soft">No token yet</span> : perSecond(tokens_per_second)
        },
        {
          title: "Stop",
          cell: ({ id, model, status, user }) =>
            status === "stopping" ? (
              <span className="badge warn">stopping</span>
            ) : (
              <Confirm
                label="Stop"
                look="plain"
                title="Stop this answer?"
                action="Stop it"
                run={() => client.generations.cancel(id).then(() => cache.invalidateQueries({ queryKey: KEY }))}
              >
                {user.email ?? user.name ?? "Its user"} asked {model}. What came so far is kept and paid for; the audit
                log says that you stopped it.
              </Confirm>
            )
        }
      ]}
    />
  )
}
