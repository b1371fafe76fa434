import type { OperatorTenant } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useParams } from "@tanstack/react-router"
import { Copy } from "../../ui/Copy.tsx"
import { Facts } from "../../ui/Facts.tsx"
import { count, moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Page } from "../../ui/Page.tsx"
import { ErasureReceipt } from "./ErasureReceipt.tsx"
import { TenantDeeds } from "./TenantDeeds.tsx"
import { TenantStatus } from "./TenantStatus.tsx"
import { useOperator } from "./useOperator.ts"
import "./operator.css"

/** One tenant: what it may, and what the operator can do with it. */
export const TenantPage = () => {
  const client = useOperator()
  const { tenant: id } = useParams({ from: "/operator/tenants/$tenant" })
  const cache = useQueryClient()
  const query = useQuery({
    queryKey: ["tenant", id],
    queryFn: ({ signal }) => client.tenants.get(id, { signal })
  })
  const changed = (next: OperatorTenant) => {
    cache.setQueryData(["tenant", id], next)
    void cache.invalidateQueries({ queryKey: ["tenants"] })
    void cache.invalidateQueries({ queryKey: ["events"] })
  }
  return (
    <Page
      title={query.data?.name ?? "Tenant"}
      about={<Link to="/operator/tenants">All tenants</Link>}
      actions={
        query.data === undefined ? undefined : (
          <>
            <Link className="button" to="/operator/usage" search={{ tenant: id }}>
              Usage
            </Link>
            <Link className="button" to="/operator/events" search={{ tenant: id }}>
              Events
            </Link>
          </>
        )
      }
    >
      <Loaded query={query} what="tenant" back={<Link to="/operator/tenants">All tenants</Link>}>
        {(tenant) => (
          <>
            <About tenant={tenant} />
            {tenant.status === "erased" ? (
              <ErasureReceipt tenant={id} />
            ) : (
              <TenantDeeds
                tenant={tenant}
                onChange={changed}
                onErased={() => {
                  void cache.invalidateQueries({ queryKey: ["tenant", id] })
                  void cache.invalidateQueries({ queryKey: ["tenants"] })
                }}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}

const About = ({ tenant }: { readonly tenant: OperatorTenant }) => (
  <section className="card" aria-label="What it is">
    <Facts
      of={[
        ["Id", <Id key="id" id={tenant.id} />],
        [
          "Status",
          <>
            <TenantStatus status={tenant.status} />
          </>
        ],
        [
          "Created",
          <>
            <time dateTime={tenant.created_at}>{moment(tenant.created_at)}</time>
          </>
        ],
        ["People with an account", count(tenant.users)],
        ["Registration", tenant.registration],
        ["Single sign-on required", tenant.sso_required ? "Yes" : "No"],
        [
          "Plan",
          <>
            {tenant.plan_id === null ? (
              "None"
            ) : (
              <Link to="/operator/plans/$plan" params={{ plan: tenant.plan_id }}>
                {tenant.plan}
              </Link>
            )}
          </>
        ],
        ["Owes for each dollar of price", <>${tenant.markup}</>],
        ["Models", tenant.models === null ? "All" : tenant.models.join(", ") || "None"],
        [
          "Keeps content",
          <>
            {tenant.content_days_at_most === null
              ? "As its admins decide"
              : tenant.content_days_at_most === 0
                ? "Not at all"
                : `For ${count(tenant.content_days_at_most)} days at most`}
          </>
        ]
      ]}
    />
  </section>
)

const Id = ({ id }: { readonly id: string }) => (
  <div className="row">
    <code>{id}</code> <Copy text={id} />
  </div>
)
