import type { ManagedUser } from "@llm-saas/client"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { Section } from "../../ui/Section.tsx"
import { RoleChoice } from "./RoleChoice.tsx"
import { ROLES, useUsersAgain } from "./users.ts"

interface Props {
  readonly user: ManagedUser
  /** Whether it is the reader, who could lock themselves out. */
  readonly isMe: boolean
}

/** What a user may, and whether they may log in. */
export const UserAccess = ({ isMe, user }: Props) => {
  const again = useUsersAgain()
  if (isMe) return <Section title="Access" about="This is you: another admin can change your role, or disable you." />
  return (
    <Section
      title="Access"
      about={`${ROLES[user.role].may} A change counts from their very next request.`}
      actions={
        <>
          <DialogButton label="Change the role" title={`Role of ${user.email}`}>
            {(close) => <RoleForm user={user} onDone={close} />}
          </DialogButton>
          {user.status === "active" ? (
            <Confirm
              label="Disable"
              title={`Disable ${user.email}?`}
              action="Disable"
              run={() => client.admin.changeUser(user.id, { status: "disabled" }).then(again)}
            >
              They are out with their next request, and their keys stop working. Everything that is theirs is kept, and
              you can enable them again.
            </Confirm>
          ) : (
            <Confirm
              label="Enable"
              danger={false}
              title={`Enable ${user.email}?`}
              action="Enable"
              keep="Leave it"
              run={() => client.admin.changeUser(user.id, { status: "active" }).then(again)}
            >
              They can log in again, and their keys work again.
            </Confirm>
          )}
        </>
      }
    />
  )
}

const RoleForm = ({ onDone, user }: { readonly user: ManagedUser; readonly onDone: () => void }) => {
  const again = useUsersAgain()
  const [role, setRole] = useState(user.role)
  return (
    <Form
      action="Save"
      idle={role === user.role}
      run={() => client.admin.changeUser(user.id, { role }).then(again)}
      onDone={onDone}
      onCancel={onDone}
    >
      {(error) => <RoleChoice role={role} onChange={setRole} wrong={wrongOf(error, "role")} />}
    </Form>
  )
}
