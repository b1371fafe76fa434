import { LlmSaasError } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { type Challenge, challengeOf } from "../../session/Challenge.ts"
import { knownTenants } from "../../session/KnownTenants.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure, wrongOf } from "../../ui/Failure.tsx"
import { Choice, Field } from "../../ui/Field.tsx"
import { SendVerification } from "./SendVerification.tsx"

interface Props {
  readonly email: string
  readonly tenant: string | undefined
  readonly onBack: () => void
  readonly onChallenge: (challenge: Challenge) => void
  readonly onDone: () => void
}

/** The password, and the tenant where it fits accounts in several. */
export const PasswordStep = ({ email, onBack, onChallenge, onDone, tenant: given = "" }: Props) => {
  const [password, setPassword] = useState("")
  const [tenant, setTenant] = useState(given)
  const [asksTenant, setAsksTenant] = useState(given !== "")
  const named = tenant.trim() === "" ? {} : { tenant_id: tenant.trim() }
  const login = useMutation({
    mutationFn: () => client.login({ email, password, session: "cookie", ...named }),
    onSuccess: onDone,
    onError: (error) => {
      const challenge = challengeOf(error)
      if (challenge !== undefined) onChallenge(challenge)
      if (error instanceof LlmSaasError && error.code === "tenant_required") setAsksTenant(true)
    }
  })
  const code = login.error instanceof LlmSaasError ? login.error.code : undefined
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        login.mutate()
      }}
    >
      <div className="who">
        <span title={email}>{email}</span>
        <Button look="plain" onClick={onBack}>
          Change
        </Button>
      </div>
      {/* For password managers, which keep both together. */}
      <input
        className="visually-hidden"
        type="email"
        autoComplete="username"
        value={email}
        readOnly
        tabIndex={-1}
        aria-hidden
      />
      <Field
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {asksTenant ? (
        <TenantChoice value={tenant} onChange={setTenant} wrong={wrongOf(login.error, "tenant_id")} />
      ) : null}
      {login.error === null || code === "second_factor_required" ? null : (
        <Failure error={login.error}>
          {code === "email_unverified" ? <SendVerification request={{ email, ...named }} /> : null}
        </Failure>
      )}
      <Button type="submit" look="primary" busy={login.isPending}>
        Log in
      </Button>
      <Link className="small" to="/forgotten" search={{ email }}>
        Forgotten your password?
      </Link>
    </form>
  )
}

const OTHER = "other"

/** Tenants that this browser knows by name, and any other by its id. */
const TenantChoice = ({
  onChange,
  value,
  wrong
}: {
  readonly value: string
  readonly onChange: (tenant: string) => void
  readonly wrong: string | undefined
}) => {
  const [known] = useState(knownTenants)
  const [other, setOther] = useState(known.length === 0 || (value !== "" && !known.some(({ id }) => id === value)))
  return (
    <>
      {known.length === 0 ? null : (
        <Choice
          label="Tenant"
          required
          value={other ? OTHER : value}
          onChange={({ target }) => {
            setOther(target.value === OTHER)
            onChange(target.value === OTHER ? "" : target.value)
          }}
        >
          <option value="" disabled>
            Choose one
          </option>
          {known.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          <option value={OTHER}>Another one</option>
        </Choice>
      )}
      {other ? (
        <Field
          label="Tenant id"
          hint="Your address has accounts in several tenants. An admin of yours can tell you its id."
          required
          spellCheck={false}
          autoComplete="off"
          value={value}
          wrong={wrong}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : null}
    </>
  )
}
