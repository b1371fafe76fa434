import { LlmSaasError, type LoginAnswer, type SecondFactor } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { CodeField } from "../../proof/CodeField.tsx"
import { hasPasskeys, askPasskey } from "../../proof/passkeys.ts"
import { RecoveryCodes } from "../../proof/RecoveryCodes.tsx"
import type { Challenge } from "../../session/Challenge.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Enrolment } from "./Enrolment.tsx"

interface Props {
  readonly challenge: Challenge
  /** The login has ended well. */
  readonly onDone: () => void
  /** The login begins anew. */
  readonly onRestart: () => void
  /** What the button that leaves it says. */
  readonly restart?: string
}

/** The second step of a login: a code, a passkey or a recovery code. Where the account has no factor and must have one, it is set up here. */
export const SecondStep = ({ challenge, onDone, onRestart, restart = "Log in as another user" }: Props) => {
  const [codes, setCodes] = useState<ReadonlyArray<string>>()
  const answering = useMutation({
    mutationFn: (given: Omit<SecondFactor, "challenge">) =>
      // Also the first step of single sign-on asked for a cookie.
      client.secondFactor({ challenge: challenge.text, ...given }, { cookie: true }),
    onSuccess: ({ recovery_codes }: LoginAnswer) => (recovery_codes === undefined ? onDone() : setCodes(recovery_codes))
  })
  if (codes !== undefined)
    return (
      <div className="card">
        <RecoveryCodes codes={codes} done="I have kept them: go on" onKept={onDone} />
      </div>
    )
  const answer = (given: Omit<SecondFactor, "challenge">) => answering.mutate(given)
  const { error, isPending } = answering
  const isOver = error instanceof LlmSaasError && error.code === "challenge_ended"
  return (
    <div className="card stack">
      {isOver ? null : challenge.methods.length === 0 ? (
        <Enrolment challenge={challenge.text} busy={isPending} onCode={(code) => answer({ code })} onOver={onRestart} />
      ) : (
        <Ways challenge={challenge} busy={isPending} onAnswer={answer} />
      )}
      {error === null ? null : <Failure error={error} />}
      <Button look={isOver ? "primary" : "plain"} onClick={onRestart}>
        {isOver ? "Begin again" : restart}
      </Button>
    </div>
  )
}

const Ways = ({
  busy,
  challenge,
  onAnswer
}: {
  readonly challenge: Challenge
  readonly busy: boolean
  readonly onAnswer: (given: Omit<SecondFactor, "challenge">) => void
}) => {
  const { methods, passkey } = challenge
  const byPasskey = methods.includes("passkey") && passkey !== undefined && hasPasskeys()
  const [recovery, setRecovery] = useState(!methods.includes("totp") && !byPasskey)
  const [text, setText] = useState("")
  const using = useMutation({
    mutationFn: () => askPasskey(passkey),
    onSuccess: (used) => onAnswer({ passkey: used })
  })
  const typed = recovery ? "recovery_code" : methods.includes("totp") ? "code" : undefined
  return (
    <>
      {byPasskey && !recovery ? (
        <>
          <Button
            look={typed === undefined ? "primary" : "normal"}
            busy={using.isPending || (busy && typed === undefined)}
            onClick={() => using.mutate()}
          >
            Use your passkey
          </Button>
          {using.isError ? <Failure error={using.error} /> : null}
          {typed === undefined ? null : <div className="or">or</div>}
        </>
      ) : null}
      {typed === undefined ? null : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            onAnswer({ [typed]: text.trim() })
          }}
        >
          <CodeField recovery={recovery} value={text} onChange={setText} />
          <Button type="submit" look="primary" busy={busy}>
            Log in
          </Button>
        </form>
      )}
      {methods.includes("recovery_code") && (byPasskey || methods.includes("totp")) ? (
        <Button
          look="plain"
          onClick={() => {
            setRecovery(!recovery)
            setText("")
          }}
        >
          {recovery ? "Use something else" : "Use a recovery code"}
        </Button>
      ) : null}
    </>
  )
}
