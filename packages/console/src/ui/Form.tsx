import { useMutation } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { Button } from "./Button.tsx"
import { Failure } from "./Failure.tsx"

interface Props<Result> {
  /** What the button that sends it says. */
  readonly action: string
  readonly run: () => Promise<Result>
  readonly onDone?: (result: Result) => void
  /** With a button that leaves it as it was. */
  readonly onCancel?: () => void
  /** There is nothing to send: nothing was changed, say. */
  readonly idle?: boolean
  /** It destroys something. */
  readonly danger?: boolean
  /** Its fields, by what the last try failed with: see `wrongOf`. */
  readonly children: (error: unknown) => ReactNode
}

/** Fields that are sent together. What the browser can check (`required`, `min`, `pattern`) is checked before; a failure stays below them. */
export const Form = <Result,>({
  action,
  children,
  danger = false,
  idle = false,
  onCancel,
  onDone,
  run
}: Props<Result>) => {
  const sending = useMutation({ mutationFn: run, ...(onDone === undefined ? {} : { onSuccess: onDone }) })
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        // Of a form in a dialog in a form's place, React tells the outer one too.
        event.stopPropagation()
        sending.mutate()
      }}
    >
      {children(sending.error)}
      {sending.isError ? <Failure error={sending.error} /> : null}
      <div className="row">
        <Button type="submit" look="primary" danger={danger} busy={sending.isPending} disabled={idle}>
          {action}
        </Button>
        {onCancel === undefined ? null : <Button onClick={onCancel}>Cancel</Button>}
      </div>
    </form>
  )
}
