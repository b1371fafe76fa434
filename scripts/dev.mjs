// `npm run dev`: the server, started again whenever a source, a file of sql/ or .env changes. A start that fails waits for the next change.
import { spawn } from "node:child_process"
import { existsSync, watch } from "node:fs"
import { join } from "node:path"

// Of the checkout it is started in: tests have one of their own.
const root = process.cwd()
const FOLLOW = new URL("follow-parent.mjs", import.meta.url).href
const MAIN = join(root, "packages/server/src/main.ts")

/** Milliseconds: editors write a file in several steps, and a checkout changes many. */
const SETTLE_MS = 150
/** Milliseconds a stopping server has; running answers are cut because their code has changed. */
const PATIENCE_MS = 3000

let child
let stopping = false
let due

function start() {
  child = spawn(process.execPath, ["--import", FOLLOW, MAIN, ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    env: { SHUTDOWN_SECONDS: "1", ...process.env }
  })
  const own = child
  own.once("error", ({ message }) => console.error(message))
  own.once("close", (code) => {
    if (child !== own) return
    child = undefined
    if (stopping) process.exit(0)
    if (due === undefined)
      console.error(`The server ended${code ? ` with code ${code}` : ""}; it starts again with the next change.`)
  })
}

/** Ends the server; resolves when it has ended. */
const stop = () =>
  new Promise((done) => {
    const own = child
    if (own === undefined) return done()
    child = undefined
    const timer = setTimeout(() => own.kill("SIGKILL"), PATIENCE_MS)
    own.once("close", () => {
      clearTimeout(timer)
      done()
    })
    own.kill("SIGTERM")
  })

async function restart(reason) {
  console.error(`${reason} changed: starting again …`)
  await stop()
  due = undefined
  if (!stopping) start()
}

function changed(file) {
  if (stopping) return
  clearTimeout(due)
  due = setTimeout(() => void restart(file), SETTLE_MS)
}

const WATCHED = [
  // The console is another program's: `npm run dev:console`.
  { directory: "packages", recursive: true, wanted: /^(?!console\b)[\w-]+[\\/]src[\\/].*\.ts$/u },
  { directory: "sql", recursive: true, wanted: /\.sql$/u },
  { directory: ".", recursive: false, wanted: /^\.env$/u }
]
for (const { directory, recursive, wanted } of WATCHED) {
  if (!existsSync(join(root, directory))) continue
  watch(join(root, directory), { recursive }, (_, file) => {
    if (file !== null && wanted.test(file)) changed(directory === "." ? file : join(directory, file))
  })
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, async () => {
    if (stopping) return
    stopping = true
    clearTimeout(due)
    await stop()
    process.exit(0)
  })

start()
