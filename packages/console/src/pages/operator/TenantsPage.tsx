import type { OperatorTenant } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Choice, Field } from "../../ui/Field.tsx"
import { count, moment } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { CreateTenant } from "./CreateTenant.tsx"
import { STATUSES } from "./search.ts"
import { TenantStatus } from "./TenantStatus.tsx"
import { useOperator } from "./useOperator.ts"
import "./operator.css"

/** All tenants. */
export const TenantsPage = () => {
  const client = useOperator()
  const search = useSearch({ from: "/operator/tenants" })
  const navigate = useNavigate({ from: "/operator/tenants" })
  const { plan, status } = search
  const pages = usePages<OperatorTenant>(["tenants", status, plan], ({ signal, ...place }) =>
    client.tenants.list({ ...place, ...(status && { status }), ...(plan && { plan_id: plan }) }, { signal })
  )
  const plans = useQuery({ queryKey: ["plans"], queryFn: ({ signal }) => client.plans.list({ signal }) })
  return (
    <Page
      title="Tenants"
      about="The customers of this installation. Nothing of what their users wrote is here."
      actions={
        <DialogButton label="Create a tenant" title="Create a tenant" look="primary">
          {(close) => (
            <CreateTenant
              onCancel={close}
              onDone={({ id }) => void navigate({ to: "/operator/tenants/$tenant", params: { tenant: id } })}
            />
          )}
        </DialogButton>
      }
    >
      <div className="filters">
        <Choice
          label="Status"
          value={status ?? ""}
          onChange={({ target }) => {
            const chosen = STATUSES.find((each) => each === target.value)
            void navigate({ search: { ...(plan && { plan }), ...(chosen && { status: chosen }) } })
          }}
        >
          <option value="">All</option>
          {STATUSES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </Choice>
        <Choice
          label="Plan"
          value={plan ?? ""}
          onChange={({ target }) =>
            void navigate({ search: { ...(status && { status }), ...(target.value && { plan: target.value }) } })
          }
        >
          <option value="">All</option>
          {plans.data?.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
        <OpenById />
      </div>
      <Paged
        pages={pages}
        empty={
          status === undefined && plan === undefined ? (
            <Empty title="No tenants yet">
              <p>Create the first one. Who registers in it first becomes its admin.</p>
            </Empty>
          ) : (
            <Empty title="No such tenants">
              <Link to="/operator/tenants" className="button">
                Show all
              </Link>
            </Empty>
          )
        }
      >
        {(rows) => (
          <Table
            label="Tenants"
            rows={rows}
            rowKey={({ id }) => id}
            columns={[
              {
                title: "Tenant",
                cell: ({ id, name }) => (
                  <div className="stack tight">
                    <Link to="/operator/tenants/$tenant" params={{ tenant: id }}>
                      {name}
                    </Link>
                    <code className="soft">{id}</code>
                  </div>
                )
              },
              { title: "Status", cell: ({ status }) => <TenantStatus status={status} /> },
              { title: "Plan", cell: ({ plan }) => plan ?? <span className="soft">None</span> },
              { title: "Users", number: true, cell: ({ users }) => count(users) },
              { title: "Created", cell: ({ created_at }) => moment(created_at) }
            ]}
          />
        )}
      </Paged>
    </Page>
  )
}

/** Opens one of whom the id is known, from a log or a customer. */
const OpenById = () => {
  const [id, setId] = useState("")
  const navigate = useNavigate()
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault()
        void navigate({ to: "/operator/tenants/$tenant", params: { tenant: id.trim() } })
      }}
    >
      <Field
        label="Tenant id"
        required
        pattern="\s*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\s*"
        title="An id such as 0193b8a4-5c1e-7d3f-9a2b-0c4d5e6f7a8b"
        value={id}
        onChange={({ target }) => setId(target.value)}
      />
      <Button type="submit">Open</Button>
    </form>
  )
}
