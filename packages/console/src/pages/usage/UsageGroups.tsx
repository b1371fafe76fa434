import type { UsageRow } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Empty } from "../../ui/Empty.tsx"
import { count, dollars, duration } from "../../ui/format.ts"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { doorName } from "./doors.ts"
import { useKeyNames, usePeople } from "./names.ts"
import type { Days } from "./period.ts"
import { type Group, GROUPS } from "./search.ts"
import { tokens, unitsInShort } from "./tokens.ts"

const TITLES: Readonly<Record<Group, string>> = { model: "Model", user: "User", key: "Key", door: "Door" }

interface Props {
  readonly days: Days
  readonly by: Group
  readonly scope: "own" | "tenant"
  /** Of all rows together. */
  readonly cost: string
}

/** What was used by model, user, key or door. */
export const UsageGroups = ({ by, cost, days, scope }: Props) => {
  const { tenant_id } = useProfile()
  const people = usePeople(tenant_id, by === "user" && scope === "tenant")
  const keys = useKeyNames(scope, by === "key")
  const pages = usePages<UsageRow>(["usage", scope, days, [by]], ({ signal, ...place }) =>
    client.usage.report({ ...days, scope, group_by: [by], ...place }, { signal })
  )
  const groups = GROUPS.filter((each) => each !== "user" || scope === "tenant")
  return (
    <section className="stack usage-groups" aria-labelledby="groups">
      <div className="stack tight">
        <h2 id="groups">By {TITLES[by].toLowerCase()}</h2>
        <div className="tabs-list">
          {groups.map((each) => (
            <Link
              key={each}
              from="/usage"
              to="/usage"
              className="tab"
              search={({ by: _, ...rest }) => (each === "model" ? rest : { ...rest, by: each })}
              activeOptions={{ exact: true, includeSearch: true }}
              aria-current={each === by ? "page" : undefined}
            >
              {TITLES[each]}
            </Link>
          ))}
        </div>
      </div>
      <Paged pages={pages} empty={<Empty title="No answers in these days" />}>
        {(rows) => (
          <Table
            label={`Usage by ${TITLES[by].toLowerCase()}`}
            rows={rows}
            rowKey={(row) => valueOf(row, by) ?? ""}
            columns={[
              { title: TITLES[by], cell: (row) => <Name of={nameOf(row, by, people, keys)} /> },
              { title: "Cost", number: true, cell: (row) => <Cost row={row} /> },
              { title: "Share", number: true, cell: (row) => shareOf(row.cost_usd, cost) },
              { title: "Requests", number: true, cell: (row) => count(row.requests) },
              { title: "Errors", number: true, cell: (row) => count(row.errors) },
              {
                title: "Tokens",
                number: true,
                cell: (row) => <span title={unitsInShort(row)}>{count(tokens(row))}</span>
              },
              { title: "Median", number: true, cell: (row) => ms(row.latency_p50_ms) },
              { title: "95th percentile", number: true, cell: (row) => ms(row.latency_p95_ms) },
              { title: "First token", number: true, cell: (row) => ms(row.ttft_p50_ms) }
            ]}
          />
        )}
      </Paged>
    </section>
  )
}

const Name = ({ of: { id, text } }: { readonly of: { readonly text: ReactNode; readonly id?: string } }) => (
  <div className="stack tight">
    <span>{text}</span>
    {id === undefined ? null : <code className="soft">{id}</code>}
  </div>
)

const Cost = ({ row }: { readonly row: UsageRow }) => (
  <>
    {dollars(row.cost_usd)}
    {row.unpriced === 0 ? null : <div className="small soft">{count(row.unpriced)} unpriced</div>}
  </>
)

const ms = (value: number | null) => (value === null ? "–" : duration(value))

const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 })
const shareOf = (part: string, whole: string) =>
  Number(whole) === 0 ? "–" : percent.format(Number(part) / Number(whole))

const valueOf = (row: UsageRow, by: Group) =>
  by === "model" ? row.model : by === "door" ? row.door : by === "user" ? row.user_id : row.key_id

const nameOf = (
  row: UsageRow,
  by: Group,
  people: ReadonlyMap<string, string>,
  keys: ReadonlyMap<string, string>
): { readonly text: ReactNode; readonly id?: string } => {
  const value = valueOf(row, by) ?? null
  switch (by) {
    case "model":
      return { text: value === null || value === "" ? "No model" : value }
    case "door":
      return { text: doorName(value ?? "") }
    case "user":
      if (value === null) return { text: "No user (corrections)" }
      return named(people.get(value), "Deleted user", value)
    case "key":
      if (value === null) return { text: "No key: logged in" }
      return named(keys.get(value), "Deleted key", value)
  }
}

const named = (name: string | undefined, gone: string, id: string) =>
  name === undefined ? { text: gone, id } : { text: name }
