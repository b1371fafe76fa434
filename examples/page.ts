// Serves chat.html: `npm run example:page` beside `npm start`, then http://localhost:8080. The page is of another origin than the server it
// talks to, which lets pages of localhost in while it is in development, and in production those of ALLOWED_ORIGINS.
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { stripTypeScriptTypes } from "node:module"

const PORT = Number(process.env["PAGE_PORT"] ?? 8080)
const MODULE = /^\/client\/(\w+\.ts)$/u

/** The page, or a module of the client: its source without types. */
const find = (path: string) => {
  if (path === "/") return { type: "text/html", text: readFileSync(new URL("chat.html", import.meta.url), "utf8") }
  const [, name] = MODULE.exec(path) ?? []
  if (name === undefined) return undefined
  const source = readFileSync(new URL(`../packages/client/src/plain/${name}`, import.meta.url), "utf8")
  return { type: "text/javascript", text: stripTypeScriptTypes(source) }
}

createServer((request, response) => {
  const found = find(new URL(request.url ?? "/", "http://localhost").pathname)
  response.writeHead(found === undefined ? 404 : 200, {
    "content-type": `${found?.type ?? "text/plain"}; charset=utf-8`
  })
  response.end(found?.text ?? "There is nothing here.")
}).listen(PORT, "127.0.0.1", () => console.log(`http://localhost:${PORT}`))
