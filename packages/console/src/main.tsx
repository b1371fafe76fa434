import "./session/opening.ts"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./App.tsx"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/components.css"
import { applyTheme } from "./shell/theme.ts"

applyTheme()
const root = document.getElementById("root")
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>
  )

// A chunk of an earlier version is gone: the page is loaded anew, once.
const KEY = "llm-saas reloaded"
addEventListener("vite:preloadError", () => {
  if (sessionStorage.getItem(KEY) !== null) return
  sessionStorage.setItem(KEY, "1")
  location.reload()
})
