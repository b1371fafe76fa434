import type { ManagedUser } from "@llm-saas/client"
import { ROLES } from "./users.ts"

/** A user's role, and whether they may log in. */
export const UserBadges = ({ user }: { readonly user: Pick<ManagedUser, "role" | "status"> }) => (
  <span className="row">
    <span className="badge">{ROLES[user.role].label}</span>
    <span className={user.status === "active" ? "badge good" : "badge warn"}>{user.status}</span>
  </span>
)
