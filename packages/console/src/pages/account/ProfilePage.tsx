import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { day, moment } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { SendLink } from "./SendLink.tsx"
import "./account.css"

/** Who the user is, and the address of the account. */
export const ProfilePage = () => {
  const { created_at, email, role, tenant } = useProfile()
  return (
    <Page title="Profile" about="Who you are here.">
      <section className="card">
        <dl className="facts">
          <dt>Email</dt>
          <dd className="row">
            <span className="long">{email}</span>
            <DialogButton label="Change" title="Change your address" look="plain">
              {(close) => <ChangeEmail onClose={close} />}
            </DialogButton>
          </dd>
          <dt>Role</dt>
          <dd>{role === "admin" ? "Admin: you manage the tenant" : "User: you see what is your own"}</dd>
          <dt>Tenant</dt>
          <dd className="row">
            <span>{tenant.name}</span>
            <Link to="/account/tenants">My tenants</Link>
          </dd>
          <dt>Tenant id</dt>
          <dd>
            <code className="long">{tenant.id}</code>
          </dd>
          <dt>Account since</dt>
          <dd>
            <time dateTime={created_at} title={moment(created_at)}>
              {day(created_at.slice(0, 10))}
            </time>
          </dd>
        </dl>
      </section>
      <section className="stack">
        <h2>Confirm your address</h2>
        <p className="soft">
          A link by mail confirms that the address is yours. If it is confirmed already, no mail comes.
        </p>
        <SendLink
          label="Send me the link"
          sent={`A mail is on its way to ${email}.`}
          run={() => client.mail.sendVerification()}
        />
      </section>
    </Page>
  )
}

const ChangeEmail = ({ onClose }: { readonly onClose: () => void }) => {
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [sent, setSent] = useState(false)
  if (sent)
    return (
      <>
        <p role="status">
          A link is on its way to {email}. The account has the new address once you follow it, and until then the one
          that it has.
        </p>
        <div className="row">
          <Button look="primary" onClick={onClose}>
            Close
          </Button>
        </div>
      </>
    )
  return (
    <Form
      action="Send the link"
      run={() => withProof((proof) => client.mail.changeEmail({ email, password }, proof))}
      onDone={() => setSent(true)}
      onCancel={onClose}
    >
      {(error) => (
        <>
          <Field
            label="New address"
            type="email"
            autoComplete="email"
            required
            value={email}
            wrong={wrongOf(error, "email")}
            onChange={(event) => setEmail(event.target.value)}
          />
          <Field
            label="Password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </>
      )}
    </Form>
  )
}
