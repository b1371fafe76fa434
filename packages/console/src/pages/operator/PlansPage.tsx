import type { Plan } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { Confirm } from "../../ui/Confirm.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { count } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Table } from "../../ui/Table.tsx"
import { AllowanceText } from "../limits/AllowanceText.tsx"
import { useOperator } from "./useOperator.ts"

/** What the installation sells. */
export const PlansPage = () => {
  const client = useOperator()
  const plans = useQuery({ queryKey: ["plans"], queryFn: ({ signal }) => client.plans.list({ signal }) })
  return (
    <Page
      title="Plans"
      about="Limits, budgets, models and a markup, under a name. A tenant has one or none."
      actions={
        <Link className="button primary" to="/operator/plans/new">
          Make a plan
        </Link>
      }
    >
      {plans.isPending ? <Loading /> : null}
      {plans.isError ? <Failure error={plans.error} retry={() => void plans.refetch()} /> : null}
      {plans.data === undefined ? null : plans.data.length === 0 ? (
        <Empty title="No plans yet">
          <p>Tenants without a plan are not limited, and owe what providers charge. Make a plan to sell another.</p>
        </Empty>
      ) : (
        <PlanTable plans={plans.data} />
      )}
    </Page>
  )
}

const NONE = { requests_per_minute: null, tokens_per_minute: null, concurrent: null }

const Limits = ({ part }: { readonly part: Plan["limits"]["tenant"] }) => {
  const budget = part?.budget ?? null
  return (
    <AllowanceText
      value={{
        limits: { ...NONE, ...part?.limits },
        budget: budget === null ? null : { alert_at: [], ...budget }
      }}
    />
  )
}

const PlanTable = ({ plans }: { readonly plans: ReadonlyArray<Plan> }) => {
  const client = useOperator()
  const cache = useQueryClient()
  return (
    <Table
      label="Plans"
      rows={plans}
      rowKey={({ id }) => id}
      columns={[
        {
          title: "Plan",
          cell: ({ id, name }) => (
            <Link to="/operator/plans/$plan" params={{ plan: id }}>
              {name}
            </Link>
          )
        },
        {
          title: "Tenants",
          number: true,
          cell: ({ id, tenants }) =>
            tenants === 0 ? (
              "0"
            ) : (
              <Link to="/operator/tenants" search={{ plan: id }}>
                {count(tenants)}
              </Link>
            )
        },
        { title: "Markup", number: true, cell: ({ markup }) => `× ${markup}` },
        { title: "Of the tenant", cell: ({ limits }) => <Limits part={limits.tenant} /> },
        { title: "Of each user", cell: ({ limits }) => <Limits part={limits.user} /> },
        { title: "Of each key", cell: ({ limits }) => <Limits part={limits.key} /> },
        {
          title: "Of a model",
          cell: ({ limits }) => Object.keys(limits.models ?? {}).join(", ") || <span className="soft">None</span>
        },
        { title: "Models", cell: ({ models }) => (models === null ? "All" : models.join(", ") || "None") },
        {
          title: "Remove",
          // One that a tenant has cannot be removed.
          cell: ({ id, name, tenants }) =>
            tenants > 0 ? (
              <span className="soft small">In use</span>
            ) : (
              <Confirm
                label="Remove"
                look="plain"
                title={`Remove ${name}?`}
                action="Remove it"
                run={() => client.plans.remove(id).then(() => cache.invalidateQueries({ queryKey: ["plans"] }))}
              >
                No tenant has it. It cannot be brought back, but made anew.
              </Confirm>
            )
        }
      ]}
    />
  )
}
