import type { ReactNode } from "react"
import { useProfile } from "../../session/useSession.ts"
import { LinkTabs } from "../../ui/LinkTabs.tsx"
import { Page } from "../../ui/Page.tsx"

interface Props {
  readonly title: string
  /** Its buttons. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** The frame of the tenant's settings. */
export const SettingsPage = ({ actions, children, title }: Props) => {
  const { tenant } = useProfile()
  return (
    <Page title={title} about={`Settings of ${tenant.name}.`} actions={actions}>
      <div>
        <LinkTabs
          label="Settings"
          tabs={[
            { to: "/admin/settings/general", label: "General" },
            { to: "/admin/settings/content", label: "Content" },
            { to: "/admin/settings/logins", label: "Logins" },
            { to: "/admin/settings/single-sign-on", label: "Single sign-on" },
            { to: "/admin/settings/provider-keys", label: "Provider keys" }
          ]}
        />
        {children}
      </div>
    </Page>
  )
}
