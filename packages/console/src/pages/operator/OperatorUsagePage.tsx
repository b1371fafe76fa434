import type { OperatorUsage, UsageRow } from "@llm-saas/client"
import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { collect } from "../../collect.ts"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Figure, Figures } from "../../ui/Figures.tsx"
import { count, dollars } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Table } from "../../ui/Table.tsx"
import { compared } from "../usage/compared.ts"
import { NOTHING } from "../usage/measures.ts"
import { before, type Days, today } from "../usage/period.ts"
import { PeriodChoice } from "../usage/PeriodChoice.tsx"
import { PeriodText } from "../usage/PeriodText.tsx"
import { searched } from "../usage/search.ts"
import { tokens, unitsInShort } from "../usage/tokens.ts"
import { UsageByDay } from "../usage/UsageByDay.tsx"
import { sumOf } from "./decimal.ts"
import { USAGE_GROUPS } from "./search.ts"
import { useOperator } from "./useOperator.ts"
import "../usage/usage.css"

type By = (typeof USAGE_GROUPS)[number]

const TITLES: Readonly<Record<By, string>> = { tenant: "Tenant", model: "Model", both: "Tenant and model" }
const GROUPS = { tenant: ["tenant"], model: ["model"], both: ["tenant", "model"] } as const
const STEP = 100
const MOST = 10_000

/** What all tenants used: what they owe, what providers are owed, and what is left of it. */
export const OperatorUsagePage = () => {
  const search = useSearch({ from: "/operator/usage" })
  const navigate = useNavigate({ from: "/operator/usage" })
  const now = today()
  const { days, period } = searched(search, now)
  const earlier = before(period, days)
  const { tenant } = search
  const report = useDays(days, tenant)
  const past = useDays(earlier, tenant)
  const failed = [report, past].find(({ isError }) => isError)
  return (
    <Page
      title="Usage"
      about={
        tenant === undefined ? (
          "What all tenants used, by days in UTC: what they owe, what providers are owed, and the margin."
        ) : (
          <>
            Of the tenant <code>{tenant}</code>.{" "}
            <Link from="/operator/usage" to="/operator/usage" search={({ tenant: _, ...rest }) => rest}>
              Show all tenants
            </Link>
          </>
        )
      }
    >
      <PeriodChoice
        key={`${period} ${days.from} ${days.to}`}
        period={period}
        days={days}
        onChoose={(chosen) =>
          void navigate({ search: ({ by, tenant }) => ({ ...(by && { by }), ...(tenant && { tenant }), ...chosen }) })
        }
      />
      <PeriodText days={days} earlier={earlier} now={now} />
      {failed === undefined ? null : (
        <Failure
          error={failed.error}
          retry={() => {
            void report.refetch()
            void past.refetch()
          }}
        />
      )}
      {report.data === undefined || past.data === undefined ? (
        failed === undefined ? (
          <Loading what="Loading usage" />
        ) : null
      ) : report.data.length === 0 && past.data.length === 0 ? (
        <Empty title="Nothing was used in these days">
          <p>Choose other days. An answer is counted as soon as it ends.</p>
        </Empty>
      ) : (
        <>
          <Sums now={report.data} before={past.data} />
          <UsageByDay
            cost="Owed by tenants"
            days={days}
            rows={report.data.map(asUsage)}
            earlier={earlier}
            earlierRows={past.data.map(asUsage)}
          />
          <Groups days={days} by={search.by ?? "tenant"} tenant={tenant} />
        </>
      )}
    </Page>
  )
}

const useDays = (days: Days, tenant: string | undefined) => {
  const client = useOperator()
  return useQuery({
    queryKey: ["usage", "day", days, tenant],
    queryFn: ({ signal }) =>
      client.usage({ ...days, group_by: ["day"], ...(tenant && { tenant_id: tenant }) }, { signal })
  })
}

/** A day of it as the chart takes it. */
const asUsage = (row: OperatorUsage): UsageRow => ({
  ...NOTHING,
  day: row.day ?? "",
  requests: row.requests,
  errors: row.errors,
  units: row.units,
  cost_usd: row.tenant_amount
})

type Amount = "tenant_amount" | "provider_amount" | "margin_amount"

const Sums = ({
  before,
  now
}: {
  readonly now: ReadonlyArray<OperatorUsage>
  readonly before: ReadonlyArray<OperatorUsage>
}) => {
  const amount = (title: string, of: Amount) => {
    const [sum, earlier] = [now, before].map((rows) => sumOf(rows.map((row) => row[of])))
    return (
      <Figure
        title={title}
        value={dollars(sum ?? "0")}
        about={compared(Number(sum), Number(earlier), dollars(earlier ?? "0"))}
      />
    )
  }
  const number = (title: string, of: (row: OperatorUsage) => number) => {
    const [sum = 0, earlier = 0] = [now, before].map((rows) => rows.reduce((total, row) => total + of(row), 0))
    return <Figure title={title} value={count(sum)} about={compared(sum, earlier, count(earlier))} />
  }
  return (
    <Figures label="Sums">
      {amount("Owed by tenants", "tenant_amount")}
      {amount("Owed to providers", "provider_amount")}
      {amount("Margin", "margin_amount")}
      {number("Requests", ({ requests }) => requests)}
      {number("Tokens", tokens)}
      {number("Errors", ({ errors }) => errors)}
    </Figures>
  )
}

interface GroupsProps {
  readonly days: Days
  readonly by: By
  readonly tenant: string | undefined
}

const Groups = ({ by, days, tenant }: GroupsProps) => {
  const client = useOperator()
  const names = useTenantNames()
  const [limit, setLimit] = useState(STEP)
  const rows = useQuery({
    queryKey: ["usage", by, days, tenant, limit],
    queryFn: ({ signal }) =>
      client.usage({ ...days, group_by: GROUPS[by], limit, ...(tenant && { tenant_id: tenant }) }, { signal }),
    placeholderData: keepPreviousData
  })
  return (
    <section className="stack" aria-labelledby="groups">
      <h2 id="groups">By {TITLES[by].toLowerCase()}</h2>
      <div className="tabs-list">
        {USAGE_GROUPS.map((each) => (
          <Link
            key={each}
            from="/operator/usage"
            to="/operator/usage"
            className="tab"
            search={({ by: _, ...rest }) => (each === "tenant" ? rest : { ...rest, by: each })}
            activeOptions={{ exact: true, includeSearch: true }}
          >
            {TITLES[each]}
          </Link>
        ))}
      </div>
      {rows.isPending ? <Loading /> : null}
      {rows.isError ? <Failure error={rows.error} retry={() => void rows.refetch()} /> : null}
      {rows.data === undefined ? null : (
        <>
          <Table
            label={`Usage by ${TITLES[by].toLowerCase()}`}
            rows={rows.data}
            rowKey={(row) => `${row.tenant_id} ${row.model}`}
            columns={[
              ...(by === "model" ? [] : [{ title: "Tenant", cell: (row: OperatorUsage) => tenantOf(row, names) }]),
              ...(by === "tenant" ? [] : [{ title: "Model", cell: (row: OperatorUsage) => row.model || "No model" }]),
              { title: "Owed by tenants", number: true, cell: (row) => dollars(row.tenant_amount) },
              { title: "Owed to providers", number: true, cell: (row) => dollars(row.provider_amount) },
              { title: "Margin", number: true, cell: (row) => dollars(row.margin_amount) },
              { title: "Requests", number: true, cell: (row) => count(row.requests) },
              { title: "Errors", number: true, cell: (row) => count(row.errors) },
              {
                title: "Tokens",
                number: true,
                cell: (row) => <span title={unitsInShort(row)}>{count(tokens(row))}</span>
              }
            ]}
          />
          {rows.data.length >= limit && limit < MOST ? (
            <div className="row">
              <Button busy={rows.isPlaceholderData} onClick={() => setLimit(Math.min(MOST, limit + STEP))}>
                Show more
              </Button>
              <span className="soft small">{count(rows.data.length)} shown, the most expensive first</span>
            </div>
          ) : null}
        </>
      )}
    </section>
  )
}

const NONE: ReadonlyMap<string, string> = new Map()

/** Names of tenants by id; who is not among the newest 1,000 is shown by the id. */
const useTenantNames = (): ReadonlyMap<string, string> => {
  const client = useOperator()
  const names = useQuery({
    queryKey: ["tenants", "names"],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const tenants = await collect((place) => client.tenants.list(place, { signal }))
      return new Map(tenants.map(({ id, name }) => [id, name]))
    }
  })
  return names.data ?? NONE
}

const tenantOf = ({ tenant_id }: OperatorUsage, names: ReadonlyMap<string, string>) =>
  tenant_id === null ? (
    "–"
  ) : (
    <Link to="/operator/tenants/$tenant" params={{ tenant: tenant_id }}>
      {names.get(tenant_id) ?? <code>{tenant_id}</code>}
    </Link>
  )
