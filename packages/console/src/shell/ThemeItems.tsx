import { useState } from "react"
import { MenuItem } from "../ui/Menu.tsx"
import { chooseTheme, type Theme, theme } from "./theme.ts"

const THEMES: ReadonlyArray<readonly [Theme, string]> = [
  ["system", "Colours of the system"],
  ["light", "Light"],
  ["dark", "Dark"]
]

/** The choice of colours, as items of a menu. */
export const ThemeItems = () => {
  const [chosen, setChosen] = useState(theme)
  return THEMES.map(([each, label]) => (
    <MenuItem
      key={each}
      onSelect={() => {
        chooseTheme(each)
        setChosen(each)
      }}
    >
      {each === chosen ? `✓ ${label}` : label}
    </MenuItem>
  ))
}
