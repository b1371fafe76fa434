import type { ApiKey } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { KEYS, useKeysAgain } from "../keys/accounts.ts"
import { KeyTable } from "../keys/KeyTable.tsx"
import { MakeKey } from "../keys/MakeKey.tsx"
import { useUsed } from "../keys/useUsed.ts"

/** The user's own API keys. */
export const KeysPage = () => {
  const admin = useProfile().role === "admin"
  const keys = usePages<ApiKey>([...KEYS, "own"], ({ signal, ...place }) => client.keys.list(place, { signal }))
  const used = useUsed("own")
  const again = useKeysAgain()
  return (
    <Page
      title="API keys"
      about="For programs, which have no login. A key acts as you: what it writes is yours, and it sees what you see."
      // Not in the place of no keys: that goes, with the secret, once there is one.
      actions={<MakeKey admin={admin} onMade={() => void again()} />}
    >
      <Paged
        pages={keys}
        empty={
          <Empty title="No keys yet">
            <p>A key lets a program ask, by the SDKs of OpenAI and Anthropic as they are. Make one above.</p>
          </Empty>
        }
      >
        {(rows) => (
          <KeyTable
            rows={rows}
            name={(key) => (
              <Link to="/account/keys/$key" params={{ key: key.id }}>
                {key.name}
              </Link>
            )}
            used={({ id }) => used.get(id) ?? <span className="soft">Nothing</span>}
          />
        )}
      </Paged>
    </Page>
  )
}
