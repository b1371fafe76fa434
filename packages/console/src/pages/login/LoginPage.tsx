import { LlmSaasError } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { Navigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { client, session } from "../../session/session.ts"
import { useSession } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Loading } from "../../ui/Loading.tsx"

/** Logs a user in, and goes on to where they wanted to be. */
export const LoginPage = () => {
  const state = useSession()
  const { to } = useSearch({ from: "/login" })
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [tenant, setTenant] = useState("")
  const login = useMutation({
    mutationFn: () =>
      client.login({ email, password, session: "cookie", ...(tenant === "" ? {} : { tenant_id: tenant }) }),
    onSuccess: () => session.entered()
  })
  const asksTenant = tenant !== "" || (login.error instanceof LlmSaasError && login.error.code === "tenant_required")
  if (state.kind === "starting") return <Loading />
  if (state.kind === "in") return <Navigate to={to ?? "/"} replace />
  return (
    <main className="narrow">
      <h1>Log in</h1>
      {state.reason === "ended" ? <p className="note warn">Your session has ended. Log in again.</p> : null}
      {state.reason === "unreachable" ? <p className="note bad">The server could not be reached.</p> : null}
      <form
        className="card stack"
        onSubmit={(event) => {
          event.preventDefault()
          login.mutate()
        }}
      >
        <Field
          label="Email"
          type="email"
          autoComplete="username"
          required
          value={email}
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
        {asksTenant ? (
          <Field
            label="Tenant id"
            hint="Your address has accounts in several tenants."
            value={tenant}
            onChange={(event) => setTenant(event.target.value)}
          />
        ) : null}
        {login.isError ? <Failure error={login.error} /> : null}
        <Button type="submit" look="primary" busy={login.isPending}>
          Log in
        </Button>
      </form>
    </main>
  )
}
