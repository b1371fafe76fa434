import { LlmSaasError, type Problem } from "@llm-saas/client"
import { useEffect, useState } from "react"
import { dollars, moment } from "../../ui/format.ts"
import { Failure } from "../../ui/Failure.tsx"
import { whatHolds } from "../../chat/limits.ts"

/** Why a question was not accepted: a budget or a limit with what is left and until when, anything else as it is. */
export const Refusal = ({ error }: { readonly error: unknown }) => {
  const problem = error instanceof LlmSaasError ? error.problem : undefined
  if (problem?.code === "budget_exhausted") return <Budget problem={problem} />
  if (problem?.retry_after !== undefined && error instanceof LlmSaasError)
    return (
      <div className="note warn stack tight" role="alert">
        <strong>{problem.code === "limit_reached" ? whatHolds(problem) : problem.detail}</strong>
        <Wait key={problem.request_id} seconds={problem.retry_after} />
        <RequestId problem={problem} />
      </div>
    )
  return <Failure error={error} />
}

const Budget = ({ problem }: { readonly problem: Problem }) => {
  const { amount = "0", left = "0", retry_after, until } = problem
  return (
    <div className="note warn stack tight" role="alert">
      <strong>{whatHolds(problem)}</strong>
      <div>
        {dollars(left)} of {dollars(amount)} is left, and this question may cost more. Nothing was spent.
      </div>
      <div>
        {typeof until === "string" ? `The budget begins anew on ${moment(until)}.` : "This budget does not begin anew."}{" "}
        {problem.scope === "user" || problem.scope === "tenant" || problem.scope === "model"
          ? "An admin of your tenant can raise it."
          : ""}{" "}
        A shorter question may still fit.
      </div>
      {retry_after === undefined ? null : <Wait key={problem.request_id} seconds={retry_after} />}
      <RequestId problem={problem} />
    </div>
  )
}

const RequestId = ({ problem }: { readonly problem: Problem }) =>
  problem.request_id === undefined ? null : (
    <span className="small soft">
      Request id <code>{problem.request_id}</code>
    </span>
  )

/** Counts down to when it can be tried again. */
const Wait = ({ seconds }: { readonly seconds: number }) => {
  const [left, setLeft] = useState(Math.ceil(seconds))
  useEffect(() => {
    const end = performance.now() + seconds * 1000
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000))), 250)
    return () => clearInterval(timer)
  }, [seconds])
  return <div>{left > 0 ? `You can ask again in ${left} s.` : "You can ask again now."}</div>
}
