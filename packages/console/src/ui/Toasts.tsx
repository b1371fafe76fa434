import { useSyncExternalStore } from "react"

interface Toast {
  readonly id: number
  readonly text: string
}

const SHOWN_MS = 5000
let shown: ReadonlyArray<Toast> = []
let count = 0
const listeners = new Set<() => void>()

const show = (next: ReadonlyArray<Toast>) => {
  shown = next
  for (const listener of listeners) listener()
}

/** Says for some seconds that something was done. Failures stay where they happened instead: see `Failure`. */
export const toast = (text: string): void => {
  const id = ++count
  show([...shown, { id, text }])
  setTimeout(() => show(shown.filter((each) => each.id !== id)), SHOWN_MS)
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const Toasts = () => {
  const toasts = useSyncExternalStore(subscribe, () => shown)
  return (
    <div className="toasts" role="status">
      {toasts.map(({ id, text }) => (
        <div key={id} className="toast">
          {text}
        </div>
      ))}
    </div>
  )
}
