import { useMutation } from "@tanstack/react-query"
import { Link, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Entrance } from "./Entrance.tsx"

/** Asks for the mail whose link gives an account a new password. It answers alike, whether there is an account or not. */
export const ForgottenPage = () => {
  const { email: given = "" } = useSearch({ from: "/forgotten" })
  const [email, setEmail] = useState(given)
  const asking = useMutation({ mutationFn: () => client.mail.askReset({ email }) })
  return (
    <Entrance title="A new password">
      {asking.isSuccess ? (
        <div className="note good stack tight" role="status">
          <strong>Look into your mail.</strong>
          <span>
            If {email} has an account here, a mail is on its way to it. Its link is good for 30 minutes, and once. An
            account in each of several tenants gets a mail each.
          </span>
        </div>
      ) : (
        <form
          className="card stack"
          onSubmit={(event) => {
            event.preventDefault()
            asking.mutate()
          }}
        >
          <p className="soft">You are sent a link by which you choose a new password.</p>
          <Field
            label="Email"
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
          {asking.isError ? <Failure error={asking.error} /> : null}
          <Button type="submit" look="primary" busy={asking.isPending}>
            Send me the link
          </Button>
        </form>
      )}
      <Link to="/login" search={email === "" ? {} : { email }}>
        Back to the login
      </Link>
    </Entrance>
  )
}
