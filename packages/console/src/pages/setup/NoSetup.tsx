import { Link } from "@tanstack/react-router"
import { Snippet } from "../../ui/Snippet.tsx"
import { Entrance } from "../login/Entrance.tsx"

/** There is no tenant yet, and none is made from here: what those who run the installation do instead. */
export const NoSetup = () => (
  <Entrance title="No tenant yet" wide>
    <div className="card stack">
      <p>
        This installation makes no tenants from outside (<code>TENANT_CREATION=closed</code>), and has none yet. Whoever
        runs it makes one where it runs, by either of these:
      </p>
      <Snippet label="Makes a tenant" text={'npm run operator -- tenants create --name "Acme Corp"'} />
      <Snippet label="Line of .env that lets everybody make one" text="TENANT_CREATION=open" />
      <p>
        The first one prints the tenant’s id. Its first user becomes its admin, at{" "}
        <code>/console/register?tenant=ID</code>. The second one wants a restart, and then this page makes the tenant.
      </p>
    </div>
    <Link to="/login">To the login</Link>
  </Entrance>
)
