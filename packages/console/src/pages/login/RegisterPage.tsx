import { LlmSaasError } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { Link, useSearch } from "@tanstack/react-router"
import { useRef, useState } from "react"
import { client, session } from "../../session/session.ts"
import { useSession } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure, wrongOf } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Entrance } from "./Entrance.tsx"
import { GoOn } from "./GoOn.tsx"
import { NewPassword } from "./NewPassword.tsx"

/** Makes an account in a tenant whose registration is open. Its admins give out the address, `/register?tenant=ID`. */
export const RegisterPage = () => {
  const state = useSession()
  const { tenant } = useSearch({ from: "/register" })
  if (state.kind === "starting") return <Loading />
  if (state.kind === "in") return <GoOn />
  return (
    <Entrance title="Make an account">
      {tenant === undefined ? (
        <Empty title="Which tenant?">
          <p>An account is one of a tenant. Ask an admin of yours for an invitation, or for the link to register.</p>
        </Empty>
      ) : (
        <Registering tenant={tenant} />
      )}
      <Link to="/login">I have an account</Link>
    </Entrance>
  )
}

const Registering = ({ tenant }: { readonly tenant: string }) => {
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  // The address whose account was made, where the login after it failed.
  const made = useRef<string>(undefined)
  const registering = useMutation({
    mutationFn: async () => {
      if (made.current !== email) await client.register({ email, password, tenant_id: tenant })
      made.current = email
      await client.login({ email, password, tenant_id: tenant, session: "cookie" })
      await session.entered()
    }
  })
  const { error } = registering
  // The account is there: only the login has to wait.
  const waits = error instanceof LlmSaasError && error.code === "email_unverified"
  if (waits)
    return (
      <div className="note good stack tight" role="status">
        <strong>Look into your mail.</strong>
        <span>Your account is made. Follow the link that was sent to {email}, then log in.</span>
      </div>
    )
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        registering.mutate()
      }}
    >
      <Field
        label="Email"
        type="email"
        autoComplete="username"
        required
        value={email}
        wrong={wrongOf(error, "email")}
        onChange={(event) => setEmail(event.target.value)}
      />
      <NewPassword value={password} onChange={setPassword} error={error} />
      {registering.isError ? <Failure error={error} /> : null}
      <Button type="submit" look="primary" busy={registering.isPending}>
        Make the account
      </Button>
    </form>
  )
}
