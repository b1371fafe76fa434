import { useMutation } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"
import { Button } from "./Button.tsx"
import { Dialog } from "./Dialog.tsx"
import { Failure } from "./Failure.tsx"

interface Props {
  /** What the button that opens it says. */
  readonly label: string
  /** The question, such as `Delete this key?`. */
  readonly title: string
  /** What happens then, and whether it can be undone. */
  readonly children: ReactNode
  /** What the button that does it says. */
  readonly action: string
  /** What the button that leaves everything as it is says. */
  readonly keep?: string
  readonly run: () => Promise<unknown>
  readonly look?: "normal" | "plain"
  /** Whether it destroys something, as most of what is asked for does. */
  readonly danger?: boolean
}

/** A button for what has consequences: it asks once more, shows what is under way, and says what failed. */
export const Confirm = ({
  action,
  children,
  danger = true,
  keep = "Keep it",
  label,
  look = "normal",
  run,
  title
}: Props) => {
  const [open, setOpen] = useState(false)
  const doing = useMutation({ mutationFn: run, onSuccess: () => setOpen(false) })
  return (
    <>
      <Button danger={danger} look={look} onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Dialog
        title={title}
        open={open}
        onClose={() => {
          setOpen(false)
          doing.reset()
        }}
      >
        <div>{children}</div>
        {doing.isError ? <Failure error={doing.error} /> : null}
        <div className="row">
          <Button danger={danger} look="primary" busy={doing.isPending} onClick={() => doing.mutate()}>
            {action}
          </Button>
          <Button onClick={() => setOpen(false)}>{keep}</Button>
        </div>
      </Dialog>
    </>
  )
}
