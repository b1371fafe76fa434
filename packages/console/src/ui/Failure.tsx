import { LlmSaasError } from "@llm-saas/client"
import type { ReactNode } from "react"
import { SERVER_URL } from "../Place.ts"
import { Button } from "./Button.tsx"
import { Told } from "./Told.ts"

/** What a person can do about a failure, by its code, where the server's sentence does not say it. */
const ADVICE: Readonly<Partial<Record<LlmSaasError["code"], string>>> = {
  connection_failed: "Check the connection to the network, then try again.",
  invalid_answer: "A proxy between here and the server answered in its place. Try again, or tell who runs the server.",
  unavailable: "The server is busy or starting. Try again in a moment.",
  internal_error: "This is a fault of the server. Tell who runs it the request id below.",
  forbidden: "Ask an admin of your tenant."
}

/** A failure in a sentence. Nothing of a failure that is not the server's is shown: it is a fault of the console. */
export const failureText = (error: unknown): string =>
  error instanceof LlmSaasError
    ? (error.problem?.detail ?? error.message)
    : error instanceof Told
      ? error.message
      : "The console made a mistake. Reload the page."

/** What failed, why, what to do, and the request's id for those who run the server. */
export const Failure = ({
  children,
  error,
  retry
}: {
  readonly error: unknown
  readonly retry?: () => void
  readonly children?: ReactNode
}) => {
  const known = error instanceof LlmSaasError ? error : undefined
  const advice = known === undefined ? undefined : ADVICE[known.code]
  return (
    <div className="note bad stack tight" role="alert">
      <div>
        <strong>{failureText(error)}</strong>
      </div>
      {advice === undefined ? null : <div>{advice}</div>}
      {known?.retryAfter === undefined ? null : <div>Try again in {known.retryAfter} s.</div>}
      {children}
      <div className="row small soft">
        {known?.requestId === undefined ? null : (
          <span>
            Request id <code>{known.requestId}</code>
          </span>
        )}
        {known?.problem === undefined ? null : (
          <a href={`${SERVER_URL}/problems/${known.code}`} target="_blank" rel="noreferrer">
            What is this?
          </a>
        )}
        {retry === undefined ? null : <Button onClick={retry}>Try again</Button>}
      </div>
    </div>
  )
}

/** What the server says is wrong with one member of what was sent, if anything. Its paths begin with the part of the request: `payload`. */
export const wrongOf = (error: unknown, ...path: ReadonlyArray<string>): string | undefined =>
  error instanceof LlmSaasError
    ? error.problem?.errors?.find((each) => path.every((part, at) => each.path[at + 1] === part))?.message
    : undefined
