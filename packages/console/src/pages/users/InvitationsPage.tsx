import type { Invitation } from "@llm-saas/client"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Confirm } from "../../ui/Confirm.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { INVITATIONS, Invite } from "./Invite.tsx"
import { PeopleTabs } from "./PeopleTabs.tsx"
import { ROLES } from "./users.ts"

const STATUSES: Readonly<Record<Invitation["status"], { readonly look: string; readonly means: string }>> = {
  pending: { look: "badge", means: "The link works until it expires" },
  accepted: { look: "badge good", means: "The person has an account" },
  revoked: { look: "badge", means: "The link does not work any more" },
  expired: { look: "badge warn", means: "Send it again for a new link" },
  lapsed: { look: "badge warn", means: "Its sender is no admin any more: send it again" }
}

/** Who is invited, and what became of it. */
export const InvitationsPage = () => {
  const { tenant, tenant_id } = useProfile()
  const cache = useQueryClient()
  const again = () => cache.invalidateQueries({ queryKey: INVITATIONS })
  const invitations = usePages<Invitation>(INVITATIONS, ({ signal, ...place }) =>
    client.invitations.list(tenant_id, place, { signal })
  )
  return (
    <Page title="Invitations" about={`People who were invited to ${tenant.name}.`} actions={<Invite />}>
      <div>
        <PeopleTabs />
        <Paged
          pages={invitations}
          empty={
            <Empty title="Nobody is invited">
              <p className="soft">An invited person gets a mail with a link, and chooses a password.</p>
              <Invite label="Invite the first one" />
            </Empty>
          }
        >
          {(rows) => (
            <Table
              label="Invitations"
              rows={rows}
              rowKey={(invitation) => invitation.id}
              columns={[
                {
                  title: "Email",
                  cell: ({ email, user_id }) =>
                    user_id === null ? (
                      email
                    ) : (
                      <Link to="/admin/users/$user" params={{ user: user_id }}>
                        {email}
                      </Link>
                    )
                },
                { title: "Role", cell: ({ role }) => ROLES[role].label },
                {
                  title: "Status",
                  cell: ({ status }) => (
                    <div className="stack tight">
                      <span>
                        <span className={STATUSES[status].look}>{status}</span>
                      </span>
                      <span className="soft small">{STATUSES[status].means}</span>
                    </div>
                  )
                },
                { title: "Sent", cell: ({ sent_at }) => <time dateTime={sent_at}>{ago(sent_at)}</time> },
                {
                  title: "Expires",
                  cell: ({ expires_at, status }) => (status === "pending" ? moment(expires_at) : "–")
                },
                {
                  title: "Actions",
                  cell: (invitation) => <Actions invitation={invitation} tenant={tenant_id} again={again} />
                }
              ]}
            />
          )}
        </Paged>
      </div>
    </Page>
  )
}

interface ActionsProps {
  readonly invitation: Invitation
  readonly tenant: string
  readonly again: () => Promise<void>
}

/** Accepted and revoked ones are final. */
const Actions = ({ again, invitation: { email, id, status }, tenant }: ActionsProps) => {
  const resend = useMutation({
    mutationFn: () => client.invitations.resend(tenant, id),
    onSuccess: () => {
      toast(`Another mail is on its way to ${email}.`)
      return again()
    }
  })
  if (status === "accepted" || status === "revoked") return null
  return (
    <div className="stack tight">
      <div className="row">
        <Button look="plain" busy={resend.isPending} onClick={() => resend.mutate()}>
          Send again
        </Button>
        <Confirm
          label="Revoke"
          look="plain"
          title={`Revoke the invitation of ${email}?`}
          action="Revoke it"
          run={() => client.invitations.revoke(tenant, id).then(again)}
        >
          Its link stops working. The address can be invited again.
        </Confirm>
      </div>
      {resend.isError ? <Failure error={resend.error} /> : null}
    </div>
  )
}
