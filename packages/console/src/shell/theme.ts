/** Light, dark, or as the system has it. */
export type Theme = "system" | "light" | "dark"

const KEY = "llm-saas theme"

/** The chosen theme. A browser that keeps nothing has the system's. */
export const theme = (): Theme => {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === "light" || kept === "dark" ? kept : "system"
  } catch {
    return "system"
  }
}

export const chooseTheme = (chosen: Theme): void => {
  try {
    if (chosen === "system") localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, chosen)
  } catch {
    // Then it holds for this page only.
  }
  applyTheme(chosen)
}

/** `styles/tokens.css` has the colours of each. */
export const applyTheme = (chosen: Theme = theme()): void => {
  if (chosen === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = chosen
}
