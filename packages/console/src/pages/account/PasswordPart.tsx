import { useState } from "react"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { NewPassword } from "../login/NewPassword.tsx"
import { SendLink } from "./SendLink.tsx"

/** The account's password, changed by the one before, or by mail. */
export const PasswordPart = () => {
  const { email, tenant_id } = useProfile()
  return (
    <section className="part" aria-labelledby="password">
      <div className="part-head">
        <div className="stack tight">
          <h2 id="password">Password</h2>
          <p className="soft">Another password ends every session but this one.</p>
        </div>
        <DialogButton label="Change the password" title="Change your password">
          {(close) => <Change onClose={close} />}
        </DialogButton>
      </div>
      <p className="soft small">You do not know it, or have none?</p>
      <SendLink
        label="Send me a link to choose another"
        sent={`A mail is on its way to ${email}.`}
        run={() => client.mail.askReset({ email, tenant_id })}
      />
    </section>
  )
}

const Change = ({ onClose }: { readonly onClose: () => void }) => {
  const [current, setCurrent] = useState("")
  const [chosen, setChosen] = useState("")
  return (
    <Form
      action="Change it"
      run={() =>
        withProof((proof) => client.changePassword({ current_password: current, new_password: chosen }, proof))
      }
      onDone={() => {
        toast("Your password is changed. Every other session has ended.")
        onClose()
      }}
      onCancel={onClose}
    >
      {(error) => (
        <>
          <Field
            label="Password now"
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <NewPassword label="New password" member="new_password" value={chosen} onChange={setChosen} error={error} />
        </>
      )}
    </Form>
  )
}
