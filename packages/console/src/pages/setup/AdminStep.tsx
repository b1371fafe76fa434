import { type About, createClient, LlmSaasError } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { SERVER_URL } from "../../Place.ts"
import { client, session } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure, wrongOf } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { NewPassword } from "../login/NewPassword.tsx"
import { SendVerification } from "../login/SendVerification.tsx"
import { keep, type Progress } from "./progress.ts"

interface Props {
  readonly at: Progress
  readonly creation: About["tenant_creation"]
  readonly onNext: (next: Progress) => void
}

/** Makes the tenant and its first admin, and logs them in. Each part that was done is kept, so that a repetition does not do it twice. */
export const AdminStep = ({ at, creation, onNext }: Props) => {
  const [email, setEmail] = useState(at.email ?? "")
  const [password, setPassword] = useState("")
  const [token, setToken] = useState("")
  const [made, setMade] = useState(at)
  const done = (part: Progress) => {
    keep(part)
    setMade(part)
    return part
  }
  const making = useMutation({
    mutationFn: async () => {
      const tenant = made.tenant ?? (await newTenant(at.name, token))
      const withTenant = done({ ...made, tenant })
      if (withTenant.email !== email) await client.register({ email, password, tenant_id: tenant })
      const withAdmin = done({ ...withTenant, email })
      await client.login({ email, password, tenant_id: tenant, session: "cookie" })
      // What follows is for who is logged in: also where the page is reloaded now.
      const next: Progress = { ...withAdmin, step: "ask" }
      keep(next)
      await session.entered()
      return next
    },
    onSuccess: onNext
  })
  const { error } = making
  const code = error instanceof LlmSaasError ? error.code : undefined
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        making.mutate()
      }}
    >
      <p className="soft">
        You become the first admin of <strong>{at.name}</strong>.
      </p>
      {creation === "token" && made.tenant === undefined ? (
        <Field
          label="Token"
          type="password"
          autoComplete="off"
          hint="This installation makes tenants for those who have its TENANT_CREATION_TOKEN."
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      ) : null}
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
      {error === null ? null : (
        <Failure error={error}>
          {code === "email_unverified" ? (
            <>
              <span>Your account is made. Follow the link that was sent to {email}, then press the button again.</span>
              <SendVerification request={{ email, ...(made.tenant === undefined ? {} : { tenant_id: made.tenant }) }} />
            </>
          ) : null}
        </Failure>
      )}
      <div className="row">
        <Button type="submit" look="primary" busy={making.isPending}>
          Create the tenant
        </Button>
        {made.tenant === undefined ? <Button onClick={() => onNext({ ...at, step: "tenant" })}>Back</Button> : null}
      </div>
    </form>
  )
}

const newTenant = async (name: string, token: string): Promise<string> => {
  const maker = token === "" ? client : createClient({ url: SERVER_URL, token })
  return (await maker.tenants.create({ name })).id
}
