import { type ReactNode, useEffect, useRef } from "react"

/** What takes the place of something that was answered: its first field has the focus, so that the keyboard goes on there. */
export const Focused = ({ children }: { readonly children: ReactNode }) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.querySelector<HTMLElement>("input:not([readonly]), textarea, button")?.focus(), [])
  return <div ref={place}>{children}</div>
}
