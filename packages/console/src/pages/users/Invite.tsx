import type { Role } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useIdempotencyKey } from "../../idempotency.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { RoleChoice } from "./RoleChoice.tsx"

/** What the server said of invitations. */
export const INVITATIONS = ["invitations"]

/** A button that invites an address. */
export const Invite = ({ label = "Invite" }: { readonly label?: string }) => (
  <DialogButton label={label} title="Invite a person" look="primary">
    {(close) => <InviteForm onDone={close} />}
  </DialogButton>
)

const InviteForm = ({ onDone }: { readonly onDone: () => void }) => {
  const { tenant_id } = useProfile()
  const cache = useQueryClient()
  const idempotencyKey = useIdempotencyKey()
  const [email, setEmail] = useState("")
  const [role, setRole] = useState<Role>("user")
  return (
    <Form
      action="Send the invitation"
      run={() => {
        const invitation = { email, role }
        return client.invitations.create(tenant_id, invitation, { idempotencyKey: idempotencyKey(invitation) })
      }}
      onCancel={onDone}
      onDone={(invitation) => {
        toast(`A mail is on its way to ${invitation.email}.`)
        void cache.invalidateQueries({ queryKey: INVITATIONS })
        onDone()
      }}
    >
      {(error) => (
        <>
          <p className="soft">
            A mail with a link, which is good for seven days, for this address alone. An address that is invited already
            gets a new link with this role, and the earlier one ends.
          </p>
          <Field
            label="Email"
            type="email"
            autoComplete="off"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            wrong={wrongOf(error, "email")}
          />
          <RoleChoice role={role} onChange={setRole} wrong={wrongOf(error, "role")} />
        </>
      )}
    </Form>
  )
}
