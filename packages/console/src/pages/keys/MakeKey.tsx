import type { NewApiKey, ServiceAccount } from "@llm-saas/client"
import { useState } from "react"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { NewKeyForm } from "./KeyForm.tsx"
import { KeySecret } from "./KeySecret.tsx"

interface Props {
  readonly label?: string
  readonly look?: "normal" | "primary" | "plain"
  /** Whether who makes it is an admin. */
  readonly admin: boolean
  readonly accounts?: ReadonlyArray<ServiceAccount>
  readonly owner?: string
  /** There is another key now. */
  readonly onMade: () => void
}

/** A button that makes a key, and shows its secret. */
export const MakeKey = ({ label = "Make a key", look = "primary", onMade, ...rest }: Props) => (
  <DialogButton label={label} title="Make an API key" look={look}>
    {(close) => <Steps {...rest} onMade={onMade} onClose={close} />}
  </DialogButton>
)

const Steps = ({ onClose, onMade, ...rest }: Omit<Props, "label" | "look"> & { readonly onClose: () => void }) => {
  const [made, setMade] = useState<NewApiKey>()
  if (made !== undefined) return <KeySecret made={made} onDone={onClose} />
  return (
    <NewKeyForm
      {...rest}
      onCancel={onClose}
      onDone={(key) => {
        setMade(key)
        onMade()
      }}
    />
  )
}
