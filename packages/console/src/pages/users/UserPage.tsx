import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { Facts } from "../../ui/Facts.tsx"
import { moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Page } from "../../ui/Page.tsx"
import { Section } from "../../ui/Section.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { UserAccess } from "./UserAccess.tsx"
import { UserAllowance } from "./UserAllowance.tsx"
import { UserBadges } from "./UserBadges.tsx"
import { UserFactors } from "./UserFactors.tsx"
import { UserSessions } from "./UserSessions.tsx"
import { useUser, useUsersAgain } from "./users.ts"

/** One user of the tenant: what they may, how they log in, and the end of it. */
export const UserPage = () => {
  const { user: id } = useParams({ from: "/users/admins/admin/users/$user" })
  const me = useProfile()
  const user = useUser(id)
  const again = useUsersAgain()
  const navigate = useNavigate()
  // The server takes an id in any case, and writes it in lower case.
  const isMe = user.data?.id === me.id
  return (
    <Page title={user.data?.email ?? "User"} about={<Link to="/admin/users">← All users</Link>}>
      <Loaded query={user} what="user" back={<Link to="/admin/users">← All users</Link>}>
        {(found) => (
          <>
            <Facts
              of={[
                ["Role and status", <UserBadges key="badges" user={found} />],
                ["Since", moment(found.created_at)],
                ["Id", <code key="id">{found.id}</code>]
              ]}
            />
            <UserAccess user={found} isMe={isMe} />
            <UserAllowance user={found} />
            <UserSessions user={found} />
            <UserFactors user={found} />
            {isMe ? null : (
              <Section
                title="Delete"
                about="With their messages, conversations, keys and sessions. Accounts of what was used stay, without their texts."
              >
                <div>
                  <Confirm
                    label="Delete this user"
                    title={`Delete ${found.email}?`}
                    action="Delete for good"
                    run={async () => {
                      await client.admin.deleteUser(found.id)
                      toast(`${found.email} was deleted.`)
                      await navigate({ to: "/admin/users" })
                      await again()
                    }}
                  >
                    <div className="stack tight">
                      <p>They are out with their next request, and answers under way are stopped.</p>
                      <p>
                        What they wrote, all conversations, messages, feedback and API keys, is gone from the database
                        some seconds later. What was used and what it cost stays in usage, and who did what stays in the
                        audit log.
                      </p>
                      <p>
                        This cannot be undone. To keep what they wrote, disable them instead. The address can be invited
                        again.
                      </p>
                    </div>
                  </Confirm>
                </div>
              </Section>
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}
