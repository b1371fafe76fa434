import type { ApiKey } from "@llm-saas/client"
import type { ReactNode } from "react"
import { ago, moment } from "../../ui/format.ts"
import { Table } from "../../ui/Table.tsx"
import "./keys.css"
import { AllowanceText } from "../limits/AllowanceText.tsx"

const LOOKS = { active: "good", disabled: "warn", expired: "bad" } as const

/** A key's status as a badge. */
export const KeyStatus = ({ status }: { readonly status: ApiKey["status"] }) => (
  <span className={`badge ${LOOKS[status]}`}>{status}</span>
)

interface Props {
  readonly rows: ReadonlyArray<ApiKey>
  /** How a key is named in its row: a link to its page, say. Default: its name. */
  readonly name?: (key: ApiKey) => ReactNode
  /** Whose each key is, where the list has several people's. */
  readonly owner?: (key: ApiKey) => ReactNode
  /** What each was used for this month (UTC), where that is known. */
  readonly used?: (key: ApiKey) => ReactNode
  readonly actions?: (key: ApiKey) => ReactNode
}

/** A list of API keys, without their secrets. */
export const KeyTable = ({ actions, name = (key) => key.name, owner, rows, used }: Props) => (
  <Table
    label="API keys"
    rows={rows}
    rowKey={(key) => key.id}
    columns={[
      {
        title: "Key",
        cell: (key) => (
          <div className="stack tight">
            <span>{name(key)}</span>
            <code className="soft key-begins">{key.begins_with}…</code>
          </div>
        )
      },
      ...(owner === undefined ? [] : [{ title: "Owner", cell: owner }]),
      { title: "Status", cell: (key) => <KeyStatus status={key.status} /> },
      { title: "Scopes", cell: (key) => key.scopes.join(", ") },
      { title: "Models", cell: (key) => key.models?.join(", ") ?? <span className="soft">All</span> },
      { title: "Limits and budget", cell: (key) => <AllowanceText value={key} /> },
      {
        title: "Last used",
        cell: (key) =>
          key.last_used_at === null ? (
            <span className="soft">Never</span>
          ) : (
            <time dateTime={key.last_used_at}>{ago(key.last_used_at)}</time>
          )
      },
      ...(used === undefined ? [] : [{ title: "This month", cell: used }]),
      {
        title: "Expires",
        cell: (key) => (key.expires_at === null ? <span className="soft">Never</span> : moment(key.expires_at))
      },
      ...(actions === undefined
        ? []
        : [{ title: "Actions", cell: (key: ApiKey) => <div className="row">{actions(key)}</div> }])
    ]}
  />
)
