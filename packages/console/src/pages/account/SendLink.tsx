import { useMutation } from "@tanstack/react-query"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"

/** A button that asks for a mail, and says that it is on its way. */
export const SendLink = ({
  label,
  run,
  sent
}: {
  readonly label: string
  readonly sent: string
  readonly run: () => Promise<void>
}) => {
  const sending = useMutation({ mutationFn: run })
  return (
    <div className="stack tight">
      <div className="row">
        <Button busy={sending.isPending} disabled={sending.isSuccess} onClick={() => sending.mutate()}>
          {label}
        </Button>
        {sending.isSuccess ? <span role="status">{sent}</span> : null}
      </div>
      {sending.isError ? <Failure error={sending.error} /> : null}
    </div>
  )
}
