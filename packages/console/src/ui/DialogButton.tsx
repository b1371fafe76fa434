import { type ReactNode, useState } from "react"
import { Button } from "./Button.tsx"
import { Dialog } from "./Dialog.tsx"

interface Props {
  readonly label: string
  /** Of the dialog. */
  readonly title: string
  readonly look?: "normal" | "primary" | "plain"
  /** It leads to what destroys something. */
  readonly danger?: boolean
  /** What is in the dialog, made anew each time that it opens; `close` closes it. */
  readonly children: (close: () => void) => ReactNode
}

/** A button that opens a dialog, such as a form. Only its own buttons and Escape close it: a press beside it loses nothing that was typed. */
export const DialogButton = ({ children, danger = false, label, look = "normal", title }: Props) => {
  const [open, setOpen] = useState(false)
  const close = () => setOpen(false)
  return (
    <>
      <Button look={look} danger={danger} onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Dialog title={title} open={open} onClose={close} stays>
        {open ? children(close) : null}
      </Dialog>
    </>
  )
}
