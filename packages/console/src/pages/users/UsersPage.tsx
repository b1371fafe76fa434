import type { ManagedUser } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { moment } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { AllowanceText } from "../limits/AllowanceText.tsx"
import { Invite } from "./Invite.tsx"
import { NewUserForm } from "./NewUserForm.tsx"
import { PeopleTabs } from "./PeopleTabs.tsx"
import { UserBadges } from "./UserBadges.tsx"
import { USERS, useUsersAgain } from "./users.ts"

/** The tenant's people. */
export const UsersPage = () => {
  const me = useProfile()
  const again = useUsersAgain()
  const users = usePages<ManagedUser>([...USERS, "list"], ({ signal, ...place }) =>
    client.tenants.users(me.tenant_id, place, { signal })
  )
  return (
    <Page
      title="Users"
      about={`The people of ${me.tenant.name}. Programs have service accounts instead: see API keys.`}
      actions={
        <>
          <DialogButton label="Add with a password" title="Add a user">
            {(close) => (
              <NewUserForm
                onCancel={close}
                onDone={() => {
                  close()
                  void again()
                }}
              />
            )}
          </DialogButton>
          <Invite />
        </>
      }
    >
      <div>
        <PeopleTabs />
        <Paged pages={users} empty={<Empty title="No users" />}>
          {(rows) => (
            <Table
              label="Users"
              rows={rows}
              rowKey={(user) => user.id}
              columns={[
                {
                  title: "Email",
                  cell: (user) => (
                    <span className="row">
                      <Link to="/admin/users/$user" params={{ user: user.id }}>
                        {user.email}
                      </Link>
                      {user.id === me.id ? <span className="badge">You</span> : null}
                    </span>
                  )
                },
                { title: "Role and status", cell: (user) => <UserBadges user={user} /> },
                { title: "Limits and budget", cell: (user) => <AllowanceText value={user} /> },
                { title: "Since", cell: (user) => moment(user.created_at) }
              ]}
            />
          )}
        </Paged>
      </div>
    </Page>
  )
}
