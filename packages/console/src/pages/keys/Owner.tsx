import type { ApiKey } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { useProfile } from "../../session/useSession.ts"
import { useUser } from "../users/users.ts"
import { useAccount } from "./accounts.ts"

/** Whom a key acts as, by name, with a link to their page. */
export const Owner = ({ owner }: { readonly owner: ApiKey["owner"] }) =>
  owner.kind === "user" ? <Person id={owner.id} /> : <Program id={owner.id} />

const Person = ({ id }: { readonly id: string }) => {
  const me = useProfile()
  const user = useUser(id)
  return (
    <Link to="/admin/users/$user" params={{ user: id }}>
      {id === me.id ? me.email : (user.data?.email ?? "User")}
    </Link>
  )
}

const Program = ({ id }: { readonly id: string }) => {
  const account = useAccount(id)
  return (
    <span className="row">
      <Link to="/admin/service-accounts/$account" params={{ account: id }}>
        {account.data?.name ?? "Service account"}
      </Link>
      <span className="badge">program</span>
    </span>
  )
}
