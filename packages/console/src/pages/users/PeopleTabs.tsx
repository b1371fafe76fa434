import { LinkTabs } from "../../ui/LinkTabs.tsx"

export const PeopleTabs = () => (
  <LinkTabs
    label="People"
    tabs={[
      { to: "/admin/users", label: "Users" },
      { to: "/admin/invitations", label: "Invitations" }
    ]}
  />
)
