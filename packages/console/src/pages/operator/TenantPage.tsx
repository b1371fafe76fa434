import type { OperatorTenant } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useParams } from "@tanstack/react-router"
import { Copy } from "../../ui/Copy.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { count, moment } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
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
  const tenant = useQuery({
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
      title={tenant.data?.name ?? "Tenant"}
      about={<Link to="/operator/tenants">All tenants</Link>}
      actions={
        tenant.data === undefined ? undefined : (
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
      {tenant.isPending ? <Loading /> : null}
      {tenant.isError ? <Failure error={tenant.error} retry={() => void tenant.refetch()} /> : null}
      {tenant.data === undefined ? null : (
        <>
          <Facts tenant={tenant.data} />
          {tenant.data.status === "erased" ? (
            <ErasureReceipt tenant={id} />
          ) : (
            <TenantDeeds
              tenant={tenant.data}
              onChange={changed}
              onErased={() => {
                void cache.invalidateQueries({ queryKey: ["tenant", id] })
                void cache.invalidateQueries({ queryKey: ["tenants"] })
              }}
            />
          )}
        </>
      )}
    </Page>
  )
}

const Facts = ({ tenant }: { readonly tenant: OperatorTenant }) => (
  <section className="card" aria-label="What it is">
    <dl className="facts">
      <dt>Id</dt>
      <dd className="row">
        <code>{tenant.id}</code> <Copy text={tenant.id} />
      </dd>
      <dt>Status</dt>
      <dd>
        <TenantStatus status={tenant.status} />
      </dd>
      <dt>Created</dt>
      <dd>
        <time dateTime={tenant.created_at}>{moment(tenant.created_at)}</time>
      </dd>
      <dt>People with an account</dt>
      <dd>{count(tenant.users)}</dd>
      <dt>Registration</dt>
      <dd>{tenant.registration}</dd>
      <dt>Single sign-on required</dt>
      <dd>{tenant.sso_required ? "Yes" : "No"}</dd>
      <dt>Plan</dt>
      <dd>
        {tenant.plan_id === null ? (
          "None"
        ) : (
          <Link to="/operator/plans/$plan" params={{ plan: tenant.plan_id }}>
            {tenant.plan}
          </Link>
        )}
      </dd>
      <dt>Owes for each dollar of price</dt>
      <dd>${tenant.markup}</dd>
      <dt>Models</dt>
      <dd>{tenant.models === null ? "All" : tenant.models.join(", ") || "None"}</dd>
      <dt>Keeps content</dt>
      <dd>
        {tenant.content_days_at_most === null
          ? "As its admins decide"
          : tenant.content_days_at_most === 0
            ? "Not at all"
            : `For ${count(tenant.content_days_at_most)} days at most`}
      </dd>
    </dl>
  </section>
)
