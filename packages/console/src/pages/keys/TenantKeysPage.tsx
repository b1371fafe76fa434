import type { ApiKey } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { KEYS, useAccounts, useKeysAgain } from "./accounts.ts"
import { KeyTable } from "./KeyTable.tsx"
import { KeyTabs } from "./KeyTabs.tsx"
import { MakeKey } from "./MakeKey.tsx"
import { Owner } from "./Owner.tsx"
import { useUsed } from "./useUsed.ts"

/** All API keys of the tenant. */
export const TenantKeysPage = () => {
  const accounts = useAccounts()
  const used = useUsed("tenant")
  const again = useKeysAgain()
  const keys = usePages<ApiKey>([...KEYS, "tenant"], ({ signal, ...place }) =>
    client.keys.list({ scope: "tenant", ...place }, { signal })
  )
  return (
    <Page
      title="API keys"
      about="Of all people and programs of the tenant. A person's keys end with the person; a program that must outlive them gets a service account."
      // Not in the place of no keys: that goes, with the secret, once there is one.
      actions={<MakeKey admin accounts={accounts} onMade={() => void again()} />}
    >
      <div>
        <KeyTabs />
        <Paged
          pages={keys}
          empty={
            <Empty title="No API keys">
              <p className="soft">A program asks with a key, where a person logs in. Make one above.</p>
            </Empty>
          }
        >
          {(rows) => (
            <KeyTable
              rows={rows}
              name={(key) => (
                <Link to="/admin/keys/$key" params={{ key: key.id }}>
                  {key.name}
                </Link>
              )}
              used={({ id }) => used.get(id) ?? <span className="soft">Nothing</span>}
              owner={(key) => <Owner owner={key.owner} />}
            />
          )}
        </Paged>
      </div>
    </Page>
  )
}
