import { useState } from "react"
import { withProof } from "../../proof/proof.ts"
import { RecoveryCodes } from "../../proof/RecoveryCodes.tsx"
import { client } from "../../session/session.ts"
import { Form } from "../../ui/Form.tsx"

/** Makes ten recovery codes, in the place of those there are. */
export const NewRecoveryCodes = ({
  onClose,
  onMade
}: {
  readonly onMade: () => void
  readonly onClose: () => void
}) => {
  const [codes, setCodes] = useState<ReadonlyArray<string>>()
  if (codes !== undefined) return <RecoveryCodes codes={codes} done="I have kept them" onKept={onClose} />
  return (
    <Form
      action="Make new ones"
      run={() => withProof((proof) => client.factors.recoveryCodes(proof))}
      onDone={({ recovery_codes }) => {
        onMade()
        setCodes(recovery_codes)
      }}
      onCancel={onClose}
    >
      {() => <p>Those that you have now do not work any more then.</p>}
    </Form>
  )
}
