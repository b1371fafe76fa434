import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { CodeField } from "../../proof/CodeField.tsx"
import { NewCodes } from "../../proof/NewCodes.tsx"
import { withProof } from "../../proof/proof.ts"
import { RecoveryCodes } from "../../proof/RecoveryCodes.tsx"
import { client } from "../../session/session.ts"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { toast } from "../../ui/Toasts.tsx"

/** Sets one-time codes up: a name, the secret, its first code, and recovery codes where there are none yet. */
export const AddTotp = ({ onAdded, onClose }: { readonly onAdded: () => void; readonly onClose: () => void }) => {
  const [name, setName] = useState("Authenticator")
  const [code, setCode] = useState("")
  const [codes, setCodes] = useState<ReadonlyArray<string>>()
  const beginning = useMutation({
    mutationFn: () => withProof((proof) => client.factors.beginTotp({ name: name.trim() }, proof))
  })
  if (codes !== undefined) return <RecoveryCodes codes={codes} done="I have kept them" onKept={onClose} />
  if (beginning.data === undefined)
    return (
      <Form action="Continue" run={() => beginning.mutateAsync()} onCancel={onClose}>
        {() => (
          <Field
            label="Name"
            hint="What you know it by, such as the phone it is on."
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Form>
    )
  return (
    <Form
      action="Confirm"
      run={() => client.factors.confirmTotp(code.trim())}
      onDone={({ recovery_codes }) => {
        onAdded()
        if (recovery_codes === null) {
          toast("The codes count from now on.")
          onClose()
        } else setCodes(recovery_codes)
      }}
      onCancel={onClose}
    >
      {() => (
        <>
          <NewCodes codes={beginning.data} />
          <CodeField value={code} onChange={setCode} />
        </>
      )}
    </Form>
  )
}
