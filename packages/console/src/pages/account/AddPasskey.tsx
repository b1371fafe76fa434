import { useState } from "react"
import { makePasskey } from "../../proof/passkeys.ts"
import { withProof } from "../../proof/proof.ts"
import { RecoveryCodes } from "../../proof/RecoveryCodes.tsx"
import { client } from "../../session/session.ts"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { toast } from "../../ui/Toasts.tsx"

/** Makes a passkey by the browser, and adds it to the account. */
export const AddPasskey = ({ onAdded, onClose }: { readonly onAdded: () => void; readonly onClose: () => void }) => {
  const [name, setName] = useState("Passkey")
  const [codes, setCodes] = useState<ReadonlyArray<string>>()
  if (codes !== undefined) return <RecoveryCodes codes={codes} done="I have kept them" onKept={onClose} />
  return (
    <Form
      action="Make the passkey"
      run={async () => {
        const { challenge, options } = await withProof((proof) => client.factors.beginPasskey(proof))
        return client.factors.addPasskey({ challenge, name: name.trim(), passkey: await makePasskey(options) })
      }}
      onDone={({ recovery_codes }) => {
        onAdded()
        if (recovery_codes === null) {
          toast("The passkey counts from now on.")
          onClose()
        } else setCodes(recovery_codes)
      }}
      onCancel={onClose}
    >
      {() => (
        <>
          <p className="soft">
            Your browser asks where to keep it: on this device, in a password manager, or on a security key. It works
            for this site and no other.
          </p>
          <Field
            label="Name"
            hint="What you know it by, such as the device it is on."
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </>
      )}
    </Form>
  )
}
