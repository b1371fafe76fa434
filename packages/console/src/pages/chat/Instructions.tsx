import { useState } from "react"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { TextField } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"

interface Props {
  /** Null: there are none. */
  readonly system: string | null
  readonly save: (system: string | null) => Promise<unknown>
}

/** What the model is told before every question of the conversation. */
export const Instructions = (props: Props) => (
  <DialogButton look="plain" label={props.system === null ? "Add instructions" : "Instructions"} title="Instructions">
    {(close) => <Fields {...props} close={close} />}
  </DialogButton>
)

const Fields = ({ close, save, system }: Props & { readonly close: () => void }) => {
  const [text, setText] = useState(system ?? "")
  return (
    <Form
      action="Save"
      run={() => save(text.trim() === "" ? null : text)}
      onDone={close}
      onCancel={close}
      idle={text === (system ?? "")}
    >
      {(error) => (
        <TextField
          label="Instructions to the model"
          hint="Sent before every question of this conversation, from the next one on."
          rows={8}
          maxLength={100_000}
          value={text}
          wrong={wrongOf(error, "system")}
          onChange={(event) => setText(event.target.value)}
        />
      )}
    </Form>
  )
}
