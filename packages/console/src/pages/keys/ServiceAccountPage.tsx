import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { Facts } from "../../ui/Facts.tsx"
import { moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Page } from "../../ui/Page.tsx"
import { Section } from "../../ui/Section.tsx"
import { ChangeAllowance } from "../limits/ChangeAllowance.tsx"
import { LeftOf } from "../limits/LeftOf.tsx"
import { ROLES } from "../users/users.ts"
import { useAccount, useKeysAgain } from "./accounts.ts"
import { MakeKey } from "./MakeKey.tsx"

/** One service account: its keys, what all of them together may use, and its end. */
export const ServiceAccountPage = () => {
  const { account: id } = useParams({ from: "/users/admins/admin/service-accounts/$account" })
  const account = useAccount(id)
  const again = useKeysAgain()
  const navigate = useNavigate()
  const all = <Link to="/admin/service-accounts">← All service accounts</Link>
  return (
    <Page title={account.data?.name ?? "Service account"} about={all}>
      <Loaded query={account} what="service account" back={all}>
        {(found) => (
          <>
            <Facts
              of={[
                ["Role", ROLES[found.role].label],
                ["Since", moment(found.created_at)],
                ["Id", <code key="id">{found.id}</code>]
              ]}
            />
            <Section
              title="Keys"
              about={
                <>
                  What its programs send. Those there are, with their owners, are in the list of{" "}
                  <Link to="/admin/keys">all API keys</Link>.
                </>
              }
              actions={
                <MakeKey
                  label="Make a key for it"
                  admin
                  accounts={[found]}
                  owner={found.id}
                  onMade={() => void again()}
                />
              }
            />
            <Section
              title="Limits and budget"
              about="Of all of its keys together."
              actions={
                <ChangeAllowance
                  of={found.name}
                  value={found}
                  run={(change) => client.serviceAccounts.change(found.id, change).then(again)}
                />
              }
            >
              <LeftOf whom={{ user: found.id }} refresh />
            </Section>
            <Section title="Delete" about="With its keys. Accounts of what was used stay.">
              <div>
                <Confirm
                  label="Delete this service account"
                  title={`Delete ${found.name}?`}
                  action="Delete for good"
                  run={async () => {
                    await client.serviceAccounts.remove(found.id)
                    await navigate({ to: "/admin/service-accounts" })
                    await again()
                  }}
                >
                  Its keys stop working with their next request. Its messages, conversations and keys are gone some
                  seconds later; what was used and what it cost stays in usage. This cannot be undone.
                </Confirm>
              </div>
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  )
}
