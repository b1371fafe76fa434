import type { ApiKey, ManagedUser, ServiceAccount } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Section } from "../../ui/Section.tsx"
import { ACCOUNTS, KEYS, useKeysAgain } from "../keys/accounts.ts"
import { Owner } from "../keys/Owner.tsx"
import { USERS, useUsersAgain } from "../users/users.ts"
import { type Allowance, isAnyLimited } from "./allowance.ts"
import { ChangeAllowance } from "./ChangeAllowance.tsx"
import { Left } from "./Left.tsx"
import { LeftOf, REFRESH_MS } from "./LeftOf.tsx"

/** The limits and budgets of the tenant, its people, programs, keys and models, and what is left of each. */
export const LimitsPage = () => (
  <Page
    title="Limits and budgets"
    about="All that hold are checked at every question, and the lowest counts. Days, weeks and months are of UTC."
  >
    <Whole />
    <Users />
    <Programs />
    <Keys />
  </Page>
)

/** What holds for all of the tenant: the plan's. */
const Whole = () => {
  const { tenant } = useProfile()
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
        title={tenant.name}
        about="All that the tenant asks. Its plan says it, which the operator of the installation changes."
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

const Users = () => {
  const { tenant_id } = useProfile()
  const again = useUsersAgain()
  const users = usePages<ManagedUser>([...USERS, "list"], ({ signal, ...place }) =>
    client.tenants.users(tenant_id, place, { signal })
  )
  return (
    <Section title="People" about="With limits of their own. Everybody else has those of the plan.">
      <Paged pages={users} empty={null}>
        {(rows) => (
          <Limited
            rows={rows}
            name={(user) => (
              <Link to="/admin/users/$user" params={{ user: user.id }}>
                {user.email}
              </Link>
            )}
            whom={(user) => ({ user: user.id })}
            change={(user) => (
              <ChangeAllowance
                of={user.email}
                value={user}
                run={(change) => client.admin.changeUser(user.id, change).then(again)}
              />
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

const Programs = () => {
  const again = useKeysAgain()
  const accounts = usePages<ServiceAccount>([...ACCOUNTS, "list"], ({ signal, ...place }) =>
    client.serviceAccounts.list(place, { signal })
  )
  return (
    <Section title="Service accounts" about="With limits of their own, for all of their keys together.">
      <Paged pages={accounts} empty={<None />}>
        {(rows) => (
          <Limited
            rows={rows}
            name={(account) => (
              <Link to="/admin/service-accounts/$account" params={{ account: account.id }}>
                {account.name}
              </Link>
            )}
            whom={(account) => ({ user: account.id })}
            change={(account) => (
              <ChangeAllowance
                of={account.name}
                value={account}
                run={(change) => client.serviceAccounts.change(account.id, change).then(again)}
              />
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

const Keys = () => {
  const again = useKeysAgain()
  const keys = usePages<ApiKey>([...KEYS, "tenant"], ({ signal, ...place }) =>
    client.keys.list({ scope: "tenant", ...place }, { signal })
  )
  return (
    <Section title="API keys" about="With limits of their own, beside those of their owners.">
      <Paged pages={keys} empty={<None />}>
        {(rows) => (
          <Limited
            rows={rows}
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
            whom={(key) => ({ key: key.id })}
            change={(key) => (
              <ChangeAllowance
                of={key.name}
                value={key}
                run={(change) => client.keys.change(key.id, change).then(again)}
              />
            )}
          />
        )}
      </Paged>
    </Section>
  )
}

const None = () => <p className="soft">None has limits of its own: those of the plan hold.</p>

interface LimitedProps<Row> {
  /** All there are: those without limits of their own are left out. */
  readonly rows: ReadonlyArray<Row>
  readonly name: (row: Row) => ReactNode
  readonly whom: (row: Row) => Parameters<typeof LeftOf>[0]["whom"]
  readonly change: (row: Row) => ReactNode
}

const Limited = <Row extends Allowance & { readonly id: string }>({ change, name, rows, whom }: LimitedProps<Row>) => {
  const limited = rows.filter(isAnyLimited)
  if (limited.length === 0) return <None />
  return limited.map((row) => (
    <div key={row.id} className="card stack">
      <div className="row between">
        {name(row)}
        {change(row)}
      </div>
      <LeftOf whom={whom(row)} />
    </div>
  ))
}
