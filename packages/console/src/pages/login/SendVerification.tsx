import type { MailRequest } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"

/** Asks for the mail whose link verifies an address, once more. */
export const SendVerification = ({ request }: { readonly request: MailRequest }) => {
  const sending = useMutation({ mutationFn: () => client.mail.askVerification(request) })
  if (sending.isSuccess) return <p role="status">A mail is on its way. Follow its link, then log in.</p>
  return (
    <div className="stack tight">
      {sending.isError ? <Failure error={sending.error} /> : null}
      <div className="row">
        <Button busy={sending.isPending} onClick={() => sending.mutate()}>
          Send me the link again
        </Button>
      </div>
    </div>
  )
}
