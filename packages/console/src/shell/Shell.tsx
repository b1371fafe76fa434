import type { Profile } from "@llm-saas/client"
import { useLocation } from "@tanstack/react-router"
import { type ReactNode, useState } from "react"
import { ProofDialog } from "../proof/ProofDialog.tsx"
import { Button } from "../ui/Button.tsx"
import { Navigation } from "./Navigation.tsx"
import { UserMenu } from "./UserMenu.tsx"

/** The frame of a user's pages: what there is at the side (above, on a phone), and the page. */
export const Shell = ({ children, profile }: { readonly profile: Profile; readonly children: ReactNode }) => {
  const { pathname } = useLocation()
  // On a phone the side is open at one page, and closed again at the next.
  const [openAt, setOpenAt] = useState<string>()
  const open = openAt === pathname
  return (
    <div className="shell">
      <a className="visually-hidden" href="#content">
        Skip to the page
      </a>
      <div className="topbar">
        <Button
          look="plain"
          aria-expanded={open}
          aria-controls="sidebar"
          onClick={() => setOpenAt(open ? undefined : pathname)}
        >
          Menu
        </Button>
        <strong className="grow">{profile.tenant.name}</strong>
      </div>
      <div className="sidebar" id="sidebar" data-open={open}>
        <div className="brand">{profile.tenant.name}</div>
        <Navigation admin={profile.role === "admin"} />
        <div className="grow" />
        <UserMenu profile={profile} />
      </div>
      <main className="content" id="content" tabIndex={-1}>
        {children}
      </main>
      <ProofDialog />
    </div>
  )
}
