import { useRef, useState } from "react"
import { Button } from "./Button.tsx"
import { MOST_IN_MEMORY_BYTES, saveStream, writesFiles } from "./saveStream.ts"
import { Failure } from "./Failure.tsx"
import { bytes } from "./format.ts"
import { toast } from "./Toasts.tsx"

interface Props {
  readonly label: string
  /** The name of the file that is proposed. */
  readonly name: string
  readonly open: (signal: AbortSignal) => Promise<Response>
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly bytes: number }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "too_large" }

/** A button that saves what the server streams, however long it is, with how much there is so far and a way to stop. */
export const Download = ({ label, name, open }: Props) => {
  const [state, setState] = useState<State>({ kind: "idle" })
  const stop = useRef<AbortController>(undefined)
  const start = async () => {
    const { signal } = (stop.current = new AbortController())
    setState({ kind: "running", bytes: 0 })
    try {
      const end = await saveStream({ name, open, signal, onBytes: (bytes) => setState({ kind: "running", bytes }) })
      setState(end === "too_large" ? { kind: "too_large" } : { kind: "idle" })
      if (end === "saved") toast(`Saved ${name}.`)
    } catch (error) {
      setState(signal.aborted ? { kind: "idle" } : { kind: "failed", error })
    }
  }
  return (
    <div className="stack tight">
      <div className="row">
        <Button
          busy={state.kind === "running"}
          title={writesFiles() ? undefined : `Up to ${bytes(MOST_IN_MEMORY_BYTES)} in this browser`}
          onClick={() => void start()}
        >
          {label}
        </Button>
        {state.kind === "running" ? (
          <>
            <span className="small soft" role="status">
              {bytes(state.bytes)} so far
            </span>
            <Button look="plain" onClick={() => stop.current?.abort()}>
              Stop
            </Button>
          </>
        ) : null}
      </div>
      {state.kind === "failed" ? <Failure error={state.error} /> : null}
      {state.kind === "too_large" ? (
        <div className="note warn" role="alert">
          It is larger than {bytes(MOST_IN_MEMORY_BYTES)}, which is the most that this browser can save at once. Choose
          fewer days, or take Chrome or Edge, which write it while it comes.
        </div>
      ) : null}
    </div>
  )
}
