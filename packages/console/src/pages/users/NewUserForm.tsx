import type { Role } from "@llm-saas/client"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { NewPassword } from "../login/NewPassword.tsx"
import { RoleChoice } from "./RoleChoice.tsx"

/** Makes an account with a password that the admin chose: for people who get no mail. Everybody else is invited. */
export const NewUserForm = ({ onCancel, onDone }: { readonly onDone: () => void; readonly onCancel: () => void }) => {
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [role, setRole] = useState<Role>("user")
  return (
    <Form
      action="Add the user"
      run={() => client.admin.createUser({ email, password, role })}
      onCancel={onCancel}
      onDone={(user) => {
        toast(`${user.email} can log in now.`)
        onDone()
      }}
    >
      {(error) => (
        <>
          <p className="soft">
            You choose the first password, and tell it to the person. Better is an invitation: there they choose it
            themselves, and prove their address.
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
          <NewPassword label="First password" value={password} onChange={setPassword} error={error} />
          <RoleChoice role={role} onChange={setRole} wrong={wrongOf(error, "role")} />
        </>
      )}
    </Form>
  )
}
