import { useMutation, useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { ssoBegins } from "../../session/Challenge.ts"
import { client, session } from "../../session/session.ts"
import { useSession } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { moment } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { loginAt } from "../login/EmailStep.tsx"
import { Entrance } from "../login/Entrance.tsx"
import { NewPassword } from "../login/NewPassword.tsx"
import { forgetInvitation, invitedBy } from "./invited.ts"

/** Where the link of an invitation leads: what it offers, and the account that it makes. */
export const InvitationPage = () => {
  const state = useSession()
  const [token] = useState(invitedBy)
  if (state.kind === "starting") return <Loading />
  return (
    <Entrance title="You are invited">
      {token === undefined ? (
        <p className="note warn">
          There is no invitation in this address. Open the link of the mail once more, or ask an admin for another.
        </p>
      ) : (
        <>
          {state.kind === "in" ? (
            <p className="note warn">
              You are logged in as {state.profile.email} at {state.profile.tenant.name}. If you accept, this browser is
              logged in with the new account instead.
            </p>
          ) : null}
          <Offer
            token={token}
            onAccepted={() => {
              forgetInvitation()
              // Another user may have been logged in here: none of their data is left in the page.
              session.switched()
            }}
          />
        </>
      )}
      <Link to={state.kind === "in" ? "/" : "/login"}>
        {state.kind === "in" ? "To the console" : "I have an account"}
      </Link>
    </Entrance>
  )
}

const Offer = ({ onAccepted, token }: { readonly token: string; readonly onAccepted: () => void }) => {
  const [password, setPassword] = useState("")
  // The token names no user: what it offers is kept under it.
  const offer = useQuery({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => client.invitations.look(token, { signal }),
    staleTime: Infinity
  })
  const accepting = useMutation({
    mutationFn: () => client.invitations.accept({ token, password, session: "cookie" }),
    onSuccess: onAccepted
  })
  if (offer.isPending) return <Loading />
  if (offer.data === undefined) return <Failure error={offer.error} retry={() => void offer.refetch()} />
  const { email, expires_at, login_url, role, tenant_name } = offer.data
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        accepting.mutate()
      }}
    >
      <p>
        <strong>{tenant_name}</strong> invites <strong>{email}</strong>
        {role === "admin" ? " as an admin" : ""}. The invitation is good until {moment(expires_at)}.
      </p>
      {login_url === null ? (
        <>
          <input
            className="visually-hidden"
            type="email"
            autoComplete="username"
            value={email}
            readOnly
            tabIndex={-1}
            aria-hidden
          />
          <NewPassword value={password} onChange={setPassword} error={accepting.error} />
          {accepting.isError ? <Failure error={accepting.error} /> : null}
          <Button type="submit" look="primary" busy={accepting.isPending}>
            Accept
          </Button>
        </>
      ) : (
        <>
          <p>Its people log in at their company. The first login with this address accepts the invitation.</p>
          <a className="button primary" href={loginAt(login_url, undefined)} onClick={ssoBegins}>
            Continue with your company’s login
          </a>
        </>
      )}
    </form>
  )
}
