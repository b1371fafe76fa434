import { Navigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { type Challenge, forgetChallenge, isOwnChallenge, openedWith } from "../../session/Challenge.ts"
import { session } from "../../session/session.ts"
import { useSession } from "../../session/useSession.ts"
import { Focused } from "../../ui/Focused.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { EmailStep } from "./EmailStep.tsx"
import { Entrance } from "./Entrance.tsx"
import { GoOn } from "./GoOn.tsx"
import { PasswordStep } from "./PasswordStep.tsx"
import { SecondStep } from "./SecondStep.tsx"
import { useAbout } from "./useAbout.ts"

type Step =
  | { readonly kind: "email"; readonly email: string }
  | { readonly kind: "password"; readonly email: string }
  | { readonly kind: "second"; readonly challenge: Challenge }

/** Logs a user in, and goes on to where they wanted to be. */
export const LoginPage = () => {
  const state = useSession()
  const { email = "", tenant, to } = useSearch({ from: "/login" })
  const about = useAbout()
  const [step, setStep] = useState<Step>(() => firstStep(email))
  const [failure, setFailure] = useState<unknown>()
  // Whether there is a tenant at all decides which page it is.
  if (state.kind === "starting" || (state.kind === "out" && about.isPending)) return <Loading />
  if (state.kind === "in") return <GoOn to={to} />
  if (about.data?.setup === true) return <Navigate to="/setup" replace />
  const enter = () => {
    forgetChallenge()
    session.entered().catch(setFailure)
  }
  const restart = () => {
    forgetChallenge()
    setStep({ kind: "email", email })
  }
  return (
    <Entrance title={step.kind === "second" ? "One more step" : "Log in"}>
      {state.reason === "ended" && step.kind !== "second" ? (
        <p className="note warn" role="status">
          Your session has ended. Log in again.
        </p>
      ) : null}
      {state.reason === "unreachable" ? (
        <p className="note bad" role="alert">
          The server could not be reached.
        </p>
      ) : null}
      {step.kind === "second" && openedWith() !== undefined && !isOwnChallenge() ? (
        <p className="note warn">
          You were sent here in the middle of a login. Go on only if it is you who has just logged in elsewhere, at your
          company say: you will be logged in as that person.
        </p>
      ) : null}
      {failure === undefined ? null : <Failure error={failure} retry={() => location.reload()} />}
      <Focused key={step.kind}>
        {step.kind === "email" ? (
          <EmailStep email={step.email} to={to} onPassword={(typed) => setStep({ kind: "password", email: typed })} />
        ) : step.kind === "password" ? (
          <PasswordStep
            email={step.email}
            tenant={tenant}
            onBack={() => setStep({ kind: "email", email: step.email })}
            onChallenge={(challenge) => setStep({ kind: "second", challenge })}
            onDone={enter}
          />
        ) : (
          <SecondStep challenge={step.challenge} onDone={enter} onRestart={restart} />
        )}
      </Focused>
    </Entrance>
  )
}

const firstStep = (email: string): Step => {
  const challenge = openedWith()
  return challenge === undefined ? { kind: "email", email } : { kind: "second", challenge }
}
