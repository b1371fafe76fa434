import type { Profile } from "@llm-saas/client"
import { useState } from "react"
import { session } from "../session/session.ts"
import { Button } from "../ui/Button.tsx"
import { Menu, MenuItem } from "../ui/Menu.tsx"
import { chooseTheme, type Theme, theme } from "./theme.ts"

const THEMES: ReadonlyArray<readonly [Theme, string]> = [
  ["system", "Colours of the system"],
  ["light", "Light"],
  ["dark", "Dark"]
]

/** Who is logged in; the colours, and the way out. */
export const UserMenu = ({ profile }: { readonly profile: Profile }) => {
  const [chosen, setChosen] = useState(theme)
  return (
    <Menu
      trigger={
        <Button look="plain" title={profile.email}>
          <span className="user-name">{profile.email}</span>
        </Button>
      }
    >
      {THEMES.map(([each, label]) => (
        <MenuItem
          key={each}
          onSelect={() => {
            chooseTheme(each)
            setChosen(each)
          }}
        >
          {each === chosen ? `✓ ${label}` : label}
        </MenuItem>
      ))}
      <MenuItem onSelect={() => void session.leave()}>Log out</MenuItem>
    </Menu>
  )
}
