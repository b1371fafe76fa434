import type { OperatorEvent } from "@llm-saas/client"
import { Link, useSearch } from "@tanstack/react-router"
import { Details } from "../../ui/Details.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { momentToSecond } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { RequestId } from "../../ui/RequestId.tsx"
import { Table } from "../../ui/Table.tsx"
import { useOperator } from "./useOperator.ts"

/** What was done by operators. */
export const EventsPage = () => {
  const client = useOperator()
  const { tenant } = useSearch({ from: "/operator/events" })
  const pages = usePages<OperatorEvent>(["events", tenant], ({ signal, ...place }) =>
    client.events({ ...place, ...(tenant && { tenant_id: tenant }) }, { signal })
  )
  return (
    <Page
      title="Events"
      about={
        tenant === undefined ? (
          "What was done by operators, newest first. It is never changed or deleted."
        ) : (
          <>
            What was done to tenant <code>{tenant}</code>. <Link to="/operator/events">Show all</Link>
          </>
        )
      }
    >
      <Paged pages={pages} empty={<Empty title="Nothing was done yet" />}>
        {(rows) => (
          <Table
            label="Events"
            rows={rows}
            rowKey={({ id }) => id}
            columns={[
              {
                title: "When",
                cell: ({ at }) => (
                  <time dateTime={at} className="nowrap">
                    {momentToSecond(at)}
                  </time>
                )
              },
              { title: "What", cell: ({ action }) => <code>{action}</code> },
              {
                title: "Token",
                cell: ({ token }) => token ?? <span className="soft">Administrator of the database</span>
              },
              {
                title: "Tenant",
                cell: ({ tenant_id }) =>
                  tenant_id === null ? (
                    "–"
                  ) : (
                    <Link to="/operator/tenants/$tenant" params={{ tenant: tenant_id }}>
                      <code>{tenant_id}</code>
                    </Link>
                  )
              },
              {
                title: "Details",
                cell: ({ detail, request_id, target_id, target_kind }) => (
                  <div className="stack tight">
                    <Details values={{ ...(target_kind !== null && { [target_kind]: target_id }), ...detail }} />
                    <RequestId id={request_id} />
                  </div>
                )
              }
            ]}
          />
        )}
      </Paged>
    </Page>
  )
}
