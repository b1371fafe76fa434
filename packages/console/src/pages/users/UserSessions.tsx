import type { ManagedUser, Session } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Section } from "../../ui/Section.tsx"
import { Table } from "../../ui/Table.tsx"

const METHODS: Readonly<Record<Session["method"], string>> = {
  password: "Password",
  registration: "Registration",
  invitation: "Invitation",
  sso: "Single sign-on",
  provider: "Login provider",
  passkey: "Passkey",
  switch: "Switched from another tenant"
}

/** Where a user is logged in, and how an admin ends that. */
export const UserSessions = ({ user: { email, id, tenant_id } }: { readonly user: ManagedUser }) => {
  const cache = useQueryClient()
  const key = ["sessions", "of", id]
  const again = () => cache.invalidateQueries({ queryKey: ["sessions"] })
  const sessions = usePages<Session>(key, ({ signal, ...place }) =>
    client.sessions.ofUser(tenant_id, id, place, { signal })
  )
  const isNone = sessions.data?.pages.every((page) => page.data.length === 0) ?? true
  return (
    <Section
      title="Sessions"
      about="Where the user is logged in."
      actions={
        isNone ? undefined : (
          <Confirm
            label="End all"
            title={`End all sessions of ${email}?`}
            action="End them"
            run={() => client.sessions.endOfUser(tenant_id, id).then(again)}
          >
            They are logged out everywhere, and may log in again. To prevent that, disable them.
          </Confirm>
        )
      }
    >
      <Paged pages={sessions} empty={<p className="soft">Logged in nowhere.</p>}>
        {(rows) => (
          <Table
            label="Sessions"
            rows={rows}
            rowKey={(row) => row.id}
            columns={[
              {
                title: "Device",
                cell: (row) => (
                  <span className="row">
                    {row.device ?? "Unknown device"}
                    {row.current ? <span className="badge good">This one</span> : null}
                  </span>
                )
              },
              { title: "Address", cell: (row) => row.address ?? "–" },
              { title: "Logged in by", cell: (row) => METHODS[row.method] },
              { title: "Last used", cell: (row) => <time dateTime={row.last_used_at}>{ago(row.last_used_at)}</time> },
              { title: "Ends", cell: (row) => moment(row.expires_at) },
              {
                title: "Actions",
                cell: (row) => (
                  <Confirm
                    label="End"
                    look="plain"
                    title="End this session?"
                    action="End it"
                    run={() => client.sessions.endOfUser(tenant_id, id, row.id).then(again)}
                  >
                    {row.device ?? "The device"} has to log in again.
                  </Confirm>
                )
              }
            ]}
          />
        )}
      </Paged>
    </Section>
  )
}
