import type { UsageRow } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Download } from "../../ui/Download.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { count } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { NOTHING } from "./measures.ts"
import { before, type Days, today } from "./period.ts"
import { PeriodChoice } from "./PeriodChoice.tsx"
import { PeriodText } from "./PeriodText.tsx"
import { searched } from "./search.ts"
import { UsageByDay } from "./UsageByDay.tsx"
import { UsageFigures } from "./UsageFigures.tsx"
import { UsageGroups } from "./UsageGroups.tsx"
import "./usage.css"

type Scope = "own" | "tenant"

/** What was used and what it cost: one's own, and for admins all of the tenant's. */
export const UsagePage = () => {
  const { role } = useProfile()
  const search = useSearch({ from: "/users/usage" })
  const navigate = useNavigate({ from: "/usage" })
  const scope: Scope = role === "admin" && search.scope === "tenant" ? "tenant" : "own"
  // A user who followed an admin's link has only their own.
  const by = scope === "own" && search.by === "user" ? "model" : (search.by ?? "model")
  const now = today()
  const { days, period } = searched(search, now)
  const earlier = before(period, days)
  const report = useReport(scope, days)
  const past = useReport(scope, earlier)
  const failed = [report, past].find(({ isError }) => isError)
  return (
    <Page
      title="Usage"
      about={
        scope === "tenant"
          ? "What all users of the tenant used, and what it cost, by days in UTC."
          : "What you used, and what it cost, by days in UTC."
      }
      actions={<Exports scope={scope} days={days} />}
    >
      <div className="row between">
        <PeriodChoice
          key={`${period} ${days.from} ${days.to}`}
          period={period}
          days={days}
          onChoose={(chosen) =>
            void navigate({ search: ({ by, scope }) => ({ ...(by && { by }), ...(scope && { scope }), ...chosen }) })
          }
        />
        {role === "admin" ? <Whose /> : null}
      </div>
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
      ) : report.data.sum.requests === 0 && past.data.sum.requests === 0 && report.data.days.length === 0 ? (
        <Empty title="Nothing was used in these days">
          <p>Ask the model something, or choose other days. An answer is counted as soon as it ends.</p>
        </Empty>
      ) : (
        <>
          <UsageFigures now={report.data.sum} before={past.data.sum} />
          <Unpriced row={report.data.sum} />
          <UsageByDay days={days} rows={report.data.days} earlier={earlier} earlierRows={past.data.days} />
          <UsageGroups days={days} scope={scope} by={by} cost={report.data.sum.cost_usd} />
        </>
      )}
    </Page>
  )
}

/** The sum of some days, and each of them. */
const useReport = (scope: Scope, days: Days) =>
  useQuery({
    queryKey: ["usage", scope, days],
    queryFn: async ({ signal }) => {
      const of = (group_by: ReadonlyArray<"day">) =>
        client.usage.report({ ...days, scope, limit: 1000, ...(group_by.length > 0 && { group_by }) }, { signal })
      const [sum, byDay] = await Promise.all([of([]), of(["day"])])
      return { sum: sum.data[0] ?? NOTHING, days: byDay.data }
    }
  })

const Whose = () => (
  <div className="row" role="group" aria-label="Whose usage">
    <Link
      from="/usage"
      to="/usage"
      className="button"
      activeOptions={{ exact: true, includeSearch: true }}
      search={({ by, scope: _, ...rest }) => ({ ...rest, ...(by !== undefined && by !== "user" && { by }) })}
    >
      My own
    </Link>
    <Link
      from="/usage"
      to="/usage"
      className="button"
      activeOptions={{ exact: true, includeSearch: true }}
      search={(search) => ({ ...search, scope: "tenant" })}
    >
      All users
    </Link>
  </div>
)

/** That a sum is not whole is said beside it. */
const Unpriced = ({ row }: { readonly row: UsageRow }) =>
  row.unpriced === 0 ? null : (
    <p className="note warn">
      Of {count(row.unpriced)} {row.unpriced === 1 ? "answer" : "answers"} a price or a count is not known. The cost is
      what is known of them. The operator of the installation can add prices; they count for later answers.
    </p>
  )

const Exports = ({ days, scope }: { readonly days: Days; readonly scope: Scope }) => {
  const name = `usage-${scope}-${days.from}-${days.to}`
  return (
    <>
      <Download
        label="Each answer as CSV"
        name={`${name}.csv`}
        open={(signal) => client.usage.export({ ...days, scope, format: "csv" }, { signal })}
      />
      <Download
        label="As JSON lines"
        name={`${name}.jsonl`}
        open={(signal) => client.usage.export({ ...days, scope, format: "jsonl" }, { signal })}
      />
    </>
  )
}
