import { Link } from "@tanstack/react-router"
import { SERVER_URL } from "../Place.ts"

/** The pages, by who may open them. */
export const Navigation = ({ admin }: { readonly admin: boolean }) => (
  <nav className="nav" aria-label="Pages">
    <Link to="/chat/{-$conversation}" params={{ conversation: undefined }}>
      Chat
    </Link>
    <Link to="/usage">Usage</Link>
    <h2>Account</h2>
    <Link to="/account" activeOptions={{ exact: true }}>
      Profile
    </Link>
    <Link to="/account/security">Security</Link>
    <Link to="/account/sessions">Sessions</Link>
    <Link to="/account/keys">My API keys</Link>
    <Link to="/account/tenants">My tenants</Link>
    {admin ? (
      <>
        <h2>Tenant</h2>
        <Link to="/admin/users">Users</Link>
        <Link to="/admin/keys">API keys</Link>
        <Link to="/admin/limits">Limits and budgets</Link>
        <Link to="/admin/live">Live</Link>
        <Link to="/admin/audit">Audit log</Link>
        <Link to="/admin/isolation">Isolation report</Link>
        <Link to="/admin/settings">Settings</Link>
      </>
    ) : null}
    <h2>More</h2>
    <a href={`${SERVER_URL}/docs`}>API documentation</a>
  </nav>
)
