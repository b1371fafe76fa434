import { LlmSaasError } from "@llm-saas/client"
import { useMutation, useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { CONSOLE_PATH } from "../../Place.ts"
import { ssoBegins } from "../../session/Challenge.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"

/** Whose login it is: some addresses log in at their company. */
export const EmailStep = ({
  email,
  onPassword,
  to
}: {
  readonly email: string
  readonly to: string | undefined
  readonly onPassword: (email: string) => void
}) => {
  const [typed, setTyped] = useState(email)
  const finding = useMutation({
    mutationFn: (address: string) => client.sso.find(address),
    onSuccess: ({ login_url }) => (login_url === null ? onPassword(typed) : undefined),
    // Too many questions, say: a password may do all the same.
    onError: (error) => (isRefusal(error) ? onPassword(typed) : undefined)
  })
  const place = finding.data?.login_url ?? undefined
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        finding.mutate(typed)
      }}
    >
      <Field
        label="Email"
        type="email"
        name="username"
        autoComplete="username"
        required
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          finding.reset()
        }}
      />
      {place === undefined ? (
        <>
          {finding.isError ? <Failure error={finding.error} /> : null}
          <Button type="submit" look="primary" busy={finding.isPending}>
            Continue
          </Button>
        </>
      ) : (
        <>
          <a className="button primary" href={loginAt(place, to)} onClick={ssoBegins}>
            Continue with your company’s login
          </a>
          <Button look="plain" onClick={() => onPassword(typed)}>
            Use a password instead
          </Button>
        </>
      )}
      <Providers to={to} />
    </form>
  )
}

/** The installation's own providers. Where they cannot be asked for, there is the rest of the page. */
const Providers = ({ to }: { readonly to: string | undefined }) => {
  const providers = useQuery({ queryKey: ["providers"], queryFn: ({ signal }) => client.sso.providers({ signal }) })
  if (providers.data === undefined || providers.data.length === 0) return null
  return (
    <>
      <div className="or">or</div>
      {providers.data.map(({ login_url, name, title }) => (
        <a key={name} className="button" href={loginAt(login_url, to)} onClick={ssoBegins}>
          Continue with {title}
        </a>
      ))}
    </>
  )
}

/** The address of a login elsewhere, which comes back to this page. */
export const loginAt = (place: string, to: string | undefined): string => {
  const url = new URL(place, location.origin)
  const back = `${CONSOLE_PATH}login${to === undefined ? "" : `?${new URLSearchParams({ to }).toString()}`}`
  url.searchParams.set("return_to", back)
  return url.href
}

const isRefusal = (error: unknown): boolean =>
  error instanceof LlmSaasError && error.code !== "connection_failed" && error.status < 500
