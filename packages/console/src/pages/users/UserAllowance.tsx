import type { ManagedUser } from "@llm-saas/client"
import { client } from "../../session/session.ts"
import { Section } from "../../ui/Section.tsx"
import { AllowanceText } from "../limits/AllowanceText.tsx"
import { ChangeAllowance } from "../limits/ChangeAllowance.tsx"
import { useUsersAgain } from "./users.ts"

/** A user's own limits and budget. */
export const UserAllowance = ({ user }: { readonly user: ManagedUser }) => {
  const again = useUsersAgain()
  return (
    <Section
      title="Limits and budget"
      about="Of all that the user asks, by login and with keys."
      actions={
        <ChangeAllowance
          of={user.email}
          value={user}
          run={(change) => client.admin.changeUser(user.id, change).then(again)}
        />
      }
    >
      <AllowanceText value={user} />
    </Section>
  )
}
