import type { AuditActor, AuditEvent, AuditSubject } from "@llm-saas/client"
import { Link, useSearch } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Details } from "../../ui/Details.tsx"
import { Download } from "../../ui/Download.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { momentToSecond } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { RequestId } from "../../ui/RequestId.tsx"
import { Table } from "../../ui/Table.tsx"
import { today } from "../usage/period.ts"
import { AuditFilters } from "./AuditFilters.tsx"
import { queryOf } from "./auditSearch.ts"
import { typeText } from "./auditTypes.ts"
import "./oversight.css"

/** What was done in the tenant. */
export const AuditPage = () => {
  const { tenant_id } = useProfile()
  const search = useSearch({ from: "/users/admins/admin/audit" })
  const query = queryOf(search)
  const pages = usePages<AuditEvent>(["audit", tenant_id, query], ({ signal, ...place }) =>
    client.audit.list(tenant_id, { ...query, ...place }, { signal })
  )
  const file = (format: "csv" | "jsonl") => ({
    name: `audit-${today()}.${format}`,
    open: (signal: AbortSignal) => client.audit.export(tenant_id, { ...query, format }, { signal })
  })
  return (
    <Page
      title="Audit log"
      about="What was done in the tenant, newest first. It has no content and no secret, and is never changed or deleted."
      actions={
        <>
          <Download label="These as CSV" {...file("csv")} />
          <Download label="As JSON lines" {...file("jsonl")} />
        </>
      }
    >
      <AuditFilters key={JSON.stringify(search)} search={search} />
      {search.subject === undefined ? null : (
        <p className="note">
          Only what was done to <code>{search.subject}</code>.{" "}
          <Link from="/admin/audit" to="/admin/audit" search={({ subject: _, ...rest }) => rest}>
            To anything
          </Link>
        </p>
      )}
      <Paged
        pages={pages}
        empty={
          <Empty title="No such events">
            <p>Choose other days, somebody else, or everything that happens.</p>
          </Empty>
        }
      >
        {(rows) =>
          rows.length === 0 ? (
            <p className="note">Not among the newest events. “Show more” looks through older ones.</p>
          ) : (
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
                {
                  title: "What",
                  cell: ({ type }) => (
                    <div className="stack tight">
                      <span>{typeText(type)}</span>
                      <Link
                        from="/admin/audit"
                        to="/admin/audit"
                        className="soft small"
                        title="Only these"
                        search={(search) => ({ ...search, type })}
                      >
                        <code>{type}</code>
                      </Link>
                    </div>
                  )
                },
                { title: "Who", cell: ({ actor }) => <Actor actor={actor} /> },
                { title: "To what", cell: ({ subject }) => <Subject subject={subject} /> },
                {
                  title: "Details",
                  cell: ({ address, details, request_id }) => (
                    <div className="stack tight">
                      <Details values={{ ...details, ...(address !== null && { address }) }} />
                      <RequestId id={request_id} />
                    </div>
                  )
                }
              ]}
            />
          )
        }
      </Paged>
    </Page>
  )
}

const KINDS: Readonly<Record<AuditActor["kind"], string>> = {
  user: "User",
  service_account: "Service account",
  operator: "The operator",
  nobody: "Nobody"
}

const Actor = ({ actor: { email, id, key, kind, name } }: { readonly actor: AuditActor }) => {
  const text = email ?? name
  return (
    <div className="stack tight">
      {id === null ? (
        <span className="soft">{KINDS[kind]}</span>
      ) : (
        <Link
          from="/admin/audit"
          to="/admin/audit"
          title="Only what they did"
          search={(search) => ({ ...search, actor: id })}
        >
          {text ?? <code>{id}</code>}
        </Link>
      )}
      {kind === "service_account" ? <span className="small soft">Service account</span> : null}
      {key === null ? null : <span className="small soft">with the key {key.name ?? <code>{key.id}</code>}</span>}
    </div>
  )
}

const Subject = ({ subject }: { readonly subject: AuditSubject | null }) => {
  if (subject === null) return <span className="soft">–</span>
  const { id, kind, name } = subject
  return (
    <div className="stack tight">
      <span className="small soft">{kind.replaceAll("_", " ")}</span>
      {id === null ? (
        (name ?? null)
      ) : (
        <Link
          from="/admin/audit"
          to="/admin/audit"
          title="Only what was done to it"
          search={(search) => ({ ...search, subject: id })}
        >
          {name ?? <code className="small">{id}</code>}
        </Link>
      )}
    </div>
  )
}
