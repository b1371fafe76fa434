import type { ManagedUser } from "@llm-saas/client"
import { client } from "../../session/session.ts"
import { Section } from "../../ui/Section.tsx"
import { ChangeAllowance } from "../limits/ChangeAllowance.tsx"
import { LeftOf } from "../limits/LeftOf.tsx"
import { useUsersAgain } from "./users.ts"

/** A user's own limits and budget. */
export const UserAllowance = ({ user }: { readonly user: ManagedUser }) => {
  const again = useUsersAgain()
  return (
    <Section
      title="Limits and budget"
      about="Of all that the user asks, by login and with keys: the lower of their own and of the plan's. Those of the whole tenant hold beside them."
      actions={
        <ChangeAllowance
          of={user.email}
          value={user}
          run={(change) => client.admin.changeUser(user.id, change).then(again)}
        />
      }
    >
      <LeftOf whom={{ user: user.id }} refresh />
    </Section>
  )
}
