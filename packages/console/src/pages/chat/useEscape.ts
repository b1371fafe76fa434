import { useEffect, useRef } from "react"

/** Calls when Escape is pressed, unless it closes a dialog or a menu. */
export const useEscape = (escaped: (() => void) | undefined): void => {
  const current = useRef(escaped)
  useEffect(() => {
    current.current = escaped
  })
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return
      if (document.querySelector("dialog[open], [role=menu]") === null) current.current?.()
    }
    addEventListener("keydown", pressed)
    return () => removeEventListener("keydown", pressed)
  }, [])
}
