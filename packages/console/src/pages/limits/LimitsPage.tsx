import type { ApiKey, ManagedUser, ServiceAccount } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Section } from "../../ui/Section.tsx"
import { Table } from "../../ui/Table.tsx"
import { ACCOUNTS, KEYS } from "../keys/accounts.ts"
import { Owner } from "../keys/Owner.tsx"
import { USERS } from "../users/users.ts"
import { AllowanceText } from "./AllowanceText.tsx"
import { Left } from "./Left.tsx"
import { REFRESH_MS } from "./left.ts"

/** The limits and budgets of the tenant, its people, programs, keys and models. */
export const LimitsPage = () => {
  const { tenant } = useProfile()
  return (
    <Page
      title="Limits and budgets"
      about="All that hold are checked at every question, and the lowest counts. Periods are of UTC."
    >
      <Whole name={tenant.name} />
      <Users />
      <Programs />
      <Keys />
    </Page>
  )
}

/** What holds for all of the tenant: the plan's. */
const Whole = ({ name }: { readonly name: string }) => {
  const limits = useQuery({
    queryKey: ["limits", "mine"],
    queryFn: ({ signal }) => client.limits({ signal }),
    refetchInterval: REFRESH_MS
  })
  if (limits.isPending) return <Loading />
  if (limits.data === undefined) return <Failure error={limits.error} retry={() => void limits.refetch()} />
  const whole = limits.data.data.find(({ scope }) => scope === "tenant")
  const models = limits.data.data.filter(({ scope }) => scope === "model")
  return (
    <>
      <Section
        title={name}
        about="All that the tenant asks. Its plan says it: the operator of the installation changes it."
      >
        <div className="card">
          {whole === undefined ? <p className="soft">Nothing is limited.</p> : <Left of={whole} />}
        </div>
      </Section>
      {models.length === 0 ? null : (
        <Section title="Models" about="All that the tenant asks of one model, as its plan says.">
          {models.map((limit) => (
            <div key={limit.model} className="card stack">
              <strong>{limit.model}</strong>
              <Left of={limit} />
            </div>
          ))}
        </Section>
      )}
    </>
  )
}

const isLimited = ({ budget, limits }: Pick<ManagedUser, "budget" | "limits">): boolean =>
  budget !== null || Object.values(limits).some((limit) => limit !== null)

const NONE = <p className="soft">None has limits of their own: those of the plan hold.</p>

const Users = () => {
  const { tenant_id } = useProfile()
  const users = usePages<ManagedUser>([...USERS, "list"], ({ signal, ...place }) =>
    client.tenants.users(tenant_id, place, { signal })
  )
  return (
    <Section title="People" about="With limits of their own. Change them, and see what is left, on the person's page.">
      <Paged pages={users} empty={NONE}>
        {(rows) => (
          <Limited
            label="People with limits of their own"
            rows={rows.filter(isLimited)}
            name={(user) => (
              <Link to="/admin/users/$user" params={{ user: user.id }}>
                {user.email}
              </Link>
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

const Programs = () => {
  const accounts = usePages<ServiceAccount>([...ACCOUNTS, "list"], ({ signal, ...place }) =>
    client.serviceAccounts.list(place, { signal })
  )
  return (
    <Section title="Service accounts" about="With limits of their own. Change them on the service account's page.">
      <Paged pages={accounts} empty={NONE}>
        {(rows) => (
          <Limited
            label="Service accounts with limits of their own"
            rows={rows.filter(isLimited)}
            name={(account) => (
              <Link to="/admin/service-accounts/$account" params={{ account: account.id }}>
                {account.name}
              </Link>
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

const Keys = () => {
  const keys = usePages<ApiKey>([...KEYS, "tenant"], ({ signal, ...place }) =>
    client.keys.list({ scope: "tenant", ...place }, { signal })
  )
  return (
    <Section title="API keys" about="With limits of their own. Change them on the key's page.">
      <Paged pages={keys} empty={NONE}>
        {(rows) => (
          <Limited
            label="API keys with limits of their own"
            rows={rows.filter(isLimited)}
            name={(key) => (
              <span className="row">
                <Link to="/admin/keys/$key" params={{ key: key.id }}>
                  {key.name}
                </Link>
                <span className="soft small">
                  of <Owner owner={key.owner} />
                </span>
              </span>
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

interface LimitedProps<Row> {
  readonly label: string
  readonly rows: ReadonlyArray<Row>
  readonly name: (row: Row) => React.ReactNode
}

const Limited = <Row extends Pick<ManagedUser, "budget" | "id" | "limits">>({ label, name, rows }: LimitedProps<Row>) =>
  rows.length === 0 ? (
    NONE
  ) : (
    <Table
      label={label}
      rows={rows}
      rowKey={(row) => row.id}
      columns={[
        { title: "Whose", cell: name },
        { title: "Limits and budget", cell: (row) => <AllowanceText value={row} /> }
      ]}
    />
  )
