import { Outlet } from "@tanstack/react-router"
import { useProfile } from "../session/useSession.ts"
import { Empty } from "../ui/Empty.tsx"

/** The page for an admin. The server asks for itself: this only does not offer what it would refuse. */
export const OnlyAdmins = () =>
  useProfile().role === "admin" ? (
    <Outlet />
  ) : (
    <div className="page">
      <Empty title="This page is for admins">
        <p>Ask an admin of your tenant, or log in as one.</p>
      </Empty>
    </div>
  )
