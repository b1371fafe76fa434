import { type ReactNode, useEffect, useId, useRef } from "react"

interface Props {
  readonly title: string
  readonly open: boolean
  /** It was closed: by Escape, by a press beside it, or by `close`. */
  readonly onClose: () => void
  /** A press beside it does not close it: something in it would be lost. */
  readonly stays?: boolean
  readonly children: ReactNode
}

/**
 * A modal dialog: the platform's own, which keeps the focus, makes the rest inert and closes with Escape. Radix's Dialog writes a `<style>`
 * into the page, which the Content-Security-Policy refuses.
 */
export const Dialog = ({ children, onClose, open, stays = false, title }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    if (element === null) return
    if (open && !element.open) element.showModal()
    if (!open && element.open) element.close()
  }, [open])
  useEffect(() => {
    const element = dialog.current
    if (stays) return
    // A press on the backdrop is one on the dialog itself, and on nothing in it.
    const pressed = (event: MouseEvent) => {
      if (event.target === element && !isInside(element, event)) element?.close()
    }
    element?.addEventListener("mousedown", pressed)
    return () => element?.removeEventListener("mousedown", pressed)
  }, [stays])
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onClose={onClose}>
      {open ? (
        <div className="stack">
          <h2 id={id}>{title}</h2>
          {children}
        </div>
      ) : null}
    </dialog>
  )
}

const isInside = (element: HTMLElement | null, { clientX, clientY }: MouseEvent) => {
  const box = element?.getBoundingClientRect()
  return box !== undefined && clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom
}
