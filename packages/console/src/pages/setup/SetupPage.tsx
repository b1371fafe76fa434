import { Navigate, useRouter } from "@tanstack/react-router"
import { useState } from "react"
import { CONSOLE_PATH } from "../../Place.ts"
import { useSession } from "../../session/useSession.ts"
import { Focused } from "../../ui/Focused.tsx"
import { ToLogin } from "../../shell/ToLogin.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Entrance } from "../login/Entrance.tsx"
import { useAbout } from "../login/useAbout.ts"
import { AdminStep } from "./AdminStep.tsx"
import { AskStep } from "./AskStep.tsx"
import { ConnectStep } from "./ConnectStep.tsx"
import { keep, type Progress, progress, type Step, STEPS } from "./progress.ts"
import { KeyStep } from "./KeyStep.tsx"
import { NoSetup } from "./NoSetup.tsx"
import { TenantStep } from "./TenantStep.tsx"
import "./setup.css"

const TITLES: Readonly<Record<Step, string>> = {
  tenant: "Name your tenant",
  admin: "Your account",
  ask: "Ask a first question",
  connect: "Where things are",
  key: "A key for your programs"
}

/** As the list of steps has them. */
const NAMES: Readonly<Record<Step, string>> = {
  tenant: "Tenant",
  admin: "Account",
  ask: "Question",
  connect: "Connections",
  key: "Key"
}

/** The first run: from an empty database to a key that answers. */
export const SetupPage = () => {
  const state = useSession()
  const { history } = useRouter()
  const about = useAbout()
  const [at, setAt] = useState(() => progress() ?? { step: STEPS[0], name: "" })
  if (state.kind === "starting" || about.isPending) return <Loading />
  if (about.data === undefined)
    return (
      <Entrance title="Welcome">
        <Failure error={about.error} retry={() => void about.refetch()} />
      </Entrance>
    )
  const go = (next: Progress) => {
    keep(next)
    setAt(next)
  }
  const end = () => {
    keep(undefined)
    history.replace(CONSOLE_PATH)
  }
  const isFresh = at.step === "tenant" || at.step === "admin"
  // Somebody else has made the first tenant.
  if (isFresh && !about.data.setup && at.tenant === undefined) return <Navigate to="/" replace />
  if (at.step === "tenant" && state.kind === "in") return <Navigate to="/" replace />
  if (!isFresh && state.kind === "out") return <ToLogin />
  if (isFresh && about.data.tenant_creation === "closed") return <NoSetup />
  const number = STEPS.indexOf(at.step) + 1
  return (
    <Entrance title={TITLES[at.step]} wide>
      <ol className="steps" aria-label={`Step ${number} of ${STEPS.length}`}>
        {STEPS.map((step, index) => (
          <li key={step} aria-current={step === at.step ? "step" : undefined} data-done={index < number - 1}>
            {NAMES[step]}
          </li>
        ))}
      </ol>
      <Focused key={at.step}>
        {at.step === "tenant" ? (
          <TenantStep at={at} onNext={go} />
        ) : at.step === "admin" ? (
          <AdminStep at={at} creation={about.data.tenant_creation} onNext={go} />
        ) : at.step === "ask" ? (
          <AskStep mock={about.data.mock_model} onNext={() => go({ ...at, step: "connect" })} />
        ) : at.step === "connect" ? (
          <ConnectStep
            mlflow={about.data.mlflow_url}
            mock={about.data.mock_model}
            onNext={() => go({ ...at, step: "key" })}
          />
        ) : (
          <KeyStep made={at.key} onMade={(key) => go({ ...at, key })} onEnd={end} />
        )}
      </Focused>
    </Entrance>
  )
}
