import type { ApiKey, NewApiKey } from "@llm-saas/client"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { Choice } from "../../ui/Field.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Form } from "../../ui/Form.tsx"
import { KeySecret } from "./KeySecret.tsx"

const GRACES: ReadonlyArray<readonly [number, string]> = [
  [0, "At once"],
  [600, "After 10 minutes"],
  [3600, "After an hour"],
  [86_400, "After a day"],
  [604_800, "After 7 days"]
]

interface Props {
  readonly value: ApiKey
  readonly again: () => Promise<void>
}

/** A button that gives a key a new secret: for its owner, and of service accounts for admins. */
export const RotateKey = ({ again, value }: Props) => (
  <DialogButton label="New secret" title={`A new secret for ${value.name}`}>
    {(close) => <Steps value={value} again={again} onClose={close} />}
  </DialogButton>
)

const Steps = ({ again, onClose, value }: Props & { readonly onClose: () => void }) => {
  const [grace, setGrace] = useState(600)
  const [made, setMade] = useState<NewApiKey>()
  if (made !== undefined) return <KeySecret made={made} onDone={onClose} />
  return (
    <Form
      action="Make the secret"
      run={() => client.keys.rotate(value.id, { grace_seconds: grace })}
      onDone={(key) => {
        setMade(key)
        void again()
      }}
      onCancel={onClose}
    >
      {() => (
        <>
          <p className="soft">
            The key stays as it is, with another secret. One that is in its grace from an earlier time ends now.
          </p>
          <Choice label="The old secret ends" value={grace} onChange={(event) => setGrace(Number(event.target.value))}>
            {GRACES.map(([seconds, label]) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </Choice>
        </>
      )}
    </Form>
  )
}
