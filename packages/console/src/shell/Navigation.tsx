import { Link } from "@tanstack/react-router"
import { SERVER_URL } from "../Place.ts"

/** The pages, by who may open them. */
export const Navigation = ({ admin }: { readonly admin: boolean }) => (
  <nav className="nav" aria-label="Pages">
    <Link to="/usage">Usage</Link>
    <h2>Account</h2>
    <Link to="/account/sessions">Sessions</Link>
    {admin ? <h2>Tenant</h2> : null}
    <h2>More</h2>
    <a href={`${SERVER_URL}/docs`}>API documentation</a>
  </nav>
)
