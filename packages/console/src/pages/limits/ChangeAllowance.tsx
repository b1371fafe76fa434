import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Form } from "../../ui/Form.tsx"
import { type Allowance, type AllowanceChange, changeOf, draftOf } from "./allowance.ts"
import { AllowanceFields } from "./AllowanceFields.tsx"

interface Props {
  /** Whose they are. */
  readonly of: string
  readonly value: Allowance
  readonly run: (change: AllowanceChange) => Promise<unknown>
  readonly look?: "normal" | "plain"
}

/** A button that changes limits and a budget. */
export const ChangeAllowance = ({ look = "normal", of, run, value }: Props) => (
  <DialogButton label="Change limits" title={`Limits of ${of}`} look={look}>
    {(close) => <AllowanceForm value={value} run={run} onDone={close} />}
  </DialogButton>
)

const AllowanceForm = ({
  onDone,
  run,
  value
}: Pick<Props, "run" | "value"> & {
  readonly onDone: () => void
}) => {
  const [draft, setDraft] = useState(() => draftOf(value))
  const cache = useQueryClient()
  const change = changeOf(draftOf(value), draft)
  return (
    <Form
      action="Save"
      idle={Object.keys(change).length === 0}
      run={async () => {
        await run(change)
        // What is left is of other limits now.
        await cache.invalidateQueries({ queryKey: ["limits"] })
      }}
      onDone={onDone}
      onCancel={onDone}
    >
      {(error) => <AllowanceFields draft={draft} onChange={setDraft} error={error} />}
    </Form>
  )
}
