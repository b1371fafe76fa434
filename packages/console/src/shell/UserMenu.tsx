import type { Profile } from "@llm-saas/client"
import { session } from "../session/session.ts"
import { Button } from "../ui/Button.tsx"
import { Menu, MenuItem } from "../ui/Menu.tsx"
import { ThemeItems } from "./ThemeItems.tsx"

/** Who is logged in; the colours, and the way out. */
export const UserMenu = ({ profile }: { readonly profile: Profile }) => {
  return (
    <Menu
      trigger={
        <Button look="plain" title={profile.email}>
          <span className="user-name">{profile.email}</span>
        </Button>
      }
    >
      <ThemeItems />
      <MenuItem onSelect={() => void session.leave()}>Log out</MenuItem>
    </Menu>
  )
}
