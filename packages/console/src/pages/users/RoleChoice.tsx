import type { Role } from "@llm-saas/client"
import { Choice } from "../../ui/Field.tsx"
import { ROLES } from "./users.ts"

interface Props {
  readonly role: Role
  readonly onChange: (role: Role) => void
  readonly wrong?: string | undefined
}

/** What a person or a service account may. */
export const RoleChoice = ({ onChange, role, wrong }: Props) => (
  <Choice
    label="Role"
    hint={ROLES[role].may}
    value={role}
    onChange={(event) => onChange(event.target.value === "admin" ? "admin" : "user")}
    wrong={wrong}
  >
    <option value="user">{ROLES.user.label}</option>
    <option value="admin">{ROLES.admin.label}</option>
  </Choice>
)
