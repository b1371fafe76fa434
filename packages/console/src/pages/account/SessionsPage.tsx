import type { Session } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { client, session } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"

const KEY = ["sessions"]

/** Where the user is logged in, and how to end that. */
export const SessionsPage = () => {
  const sessions = usePages<Session>(KEY, ({ signal, ...place }) => client.sessions.list(place, { signal }))
  const cache = useQueryClient()
  const again = () => cache.invalidateQueries({ queryKey: KEY })
  return (
    <Page
      title="Sessions"
      about="Where you are logged in. End what you do not know."
      actions={
        <Confirm
          label="End all others"
          title="End all other sessions?"
          action="End them"
          run={() => client.sessions.endOthers().then(again)}
        >
          Every other device and browser has to log in again. This one stays.
        </Confirm>
      }
    >
      <Paged pages={sessions} empty={<Empty title="No sessions" />}>
        {(rows) => (
          <Table
            label="Sessions"
            rows={rows}
            rowKey={(row) => row.id}
            columns={[
              {
                title: "Device",
                cell: (row) => (
                  <div className="stack tight">
                    <span>{row.device ?? "Unknown device"}</span>
                    {row.current ? <span className="badge good">This one</span> : null}
                  </div>
                )
              },
              { title: "Address", cell: (row) => row.address ?? "–" },
              { title: "Last used", cell: (row) => <time dateTime={row.last_used_at}>{ago(row.last_used_at)}</time> },
              { title: "Ends", cell: (row) => moment(row.expires_at) },
              {
                title: "End",
                cell: (row) => (
                  <Confirm
                    label="End"
                    look="plain"
                    title={row.current ? "Log out here?" : "End this session?"}
                    action={row.current ? "Log out" : "End it"}
                    run={() => (row.current ? session.leave() : client.sessions.end(row.id).then(again))}
                  >
                    {row.device ?? "The device"} has to log in again.
                  </Confirm>
                )
              }
            ]}
          />
        )}
      </Paged>
    </Page>
  )
}
