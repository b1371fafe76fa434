import type { ApiKey } from "@llm-saas/client"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { ChangeKeyForm } from "./KeyForm.tsx"

interface Props {
  readonly value: ApiKey
  readonly admin: boolean
  /** The key is another one now, or has been. */
  readonly again: () => Promise<void>
}

/** A button that changes a key. */
export const ChangeKey = ({ admin, again, value }: Props) => (
  <DialogButton label="Change" title={`Change ${value.name}`}>
    {(close) => (
      <ChangeKeyForm
        value={value}
        admin={admin}
        onCancel={close}
        onDone={() => {
          close()
          void again()
        }}
      />
    )}
  </DialogButton>
)

/** A button that stops a key for a while, or lets it work again. */
export const StopKey = ({ again, value }: Omit<Props, "admin">) =>
  value.disabled_at === null ? (
    <Confirm
      label="Disable"
      title={`Disable ${value.name}?`}
      action="Disable it"
      run={() => client.keys.change(value.id, { disabled: true }).then(again)}
    >
      It is refused from its next request on, until you enable it again. An answer that is being read goes on.
    </Confirm>
  ) : (
    <Confirm
      label="Enable"
      danger={false}
      title={`Enable ${value.name}?`}
      action="Enable it"
      keep="Leave it"
      run={() => client.keys.change(value.id, { disabled: false }).then(again)}
    >
      It works again from its next request on.
    </Confirm>
  )

/** A button that ends a key for good. */
export const RevokeKey = ({ again, value }: Omit<Props, "admin">) => (
  <Confirm
    label="Revoke"
    title={`Revoke ${value.name}?`}
    action="Revoke it"
    run={() => client.keys.remove(value.id).then(again)}
  >
    It is refused from its next request on. This cannot be undone: the program needs another key. What was used with it
    stays in usage.
  </Confirm>
)
