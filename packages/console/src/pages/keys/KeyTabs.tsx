import { LinkTabs } from "../../ui/LinkTabs.tsx"

export const KeyTabs = () => (
  <LinkTabs
    label="Keys"
    tabs={[
      { to: "/admin/keys", label: "API keys" },
      { to: "/admin/service-accounts", label: "Service accounts" }
    ]}
  />
)
