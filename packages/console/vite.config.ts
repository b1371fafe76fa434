import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

// The server's address while the console is in development: `npm run dev:console` beside `npm start`.
const SERVER = process.env["CONSOLE_SERVER"] ?? "http://localhost:8000"

export default defineConfig(({ command }) => ({
  // Chunks find each other beside themselves; the server writes the page's own links (packages/server/src/http/ConsolePages.ts).
  base: command === "serve" ? "/console/" : "./",
  plugins: [react()],
  build: {
    outDir: "dist/console",
    emptyOutDir: true,
    target: "es2022",
    // `data:` addresses are not allowed by the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false }
  },
  server: {
    port: 5173,
    // All but the console goes to the server, so that the cookie is of one origin.
    proxy: { "^/(?!console(?:/|$))": { target: SERVER } }
  }
}))
