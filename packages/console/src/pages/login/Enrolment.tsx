import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { CodeField } from "../../proof/CodeField.tsx"
import { NewCodes } from "../../proof/NewCodes.tsx"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"

/** Sets one-time codes up in a login whose account must have a second factor, and has none. */
export const Enrolment = ({
  busy,
  challenge,
  onCode,
  onOver
}: {
  readonly challenge: string
  readonly busy: boolean
  readonly onCode: (code: string) => void
  readonly onOver: () => void
}) => {
  const [code, setCode] = useState("")
  // Once for a challenge: each time there is another secret.
  const codes = useQuery({
    queryKey: ["enrolment", challenge],
    queryFn: () => client.enrolTotp(challenge),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false
  })
  if (codes.isPending) return <Loading />
  if (codes.data === undefined)
    return (
      <Failure error={codes.error}>
        <Button onClick={onOver}>Begin again</Button>
      </Failure>
    )
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        onCode(code.trim())
      }}
    >
      <p>Your tenant asks for a second factor. Set it up now: it takes a minute.</p>
      <NewCodes codes={codes.data} />
      <CodeField value={code} onChange={setCode} />
      <Button type="submit" look="primary" busy={busy}>
        Set up and log in
      </Button>
    </form>
  )
}
