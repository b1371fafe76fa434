// Child processes: run, told to stop once, awaited, never left running.
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"

const windows = process.platform === "win32"
const FOLLOW = fileURLToPath(new URL("./follow-parent.mjs", import.meta.url))

/** Milliseconds in which a second Ctrl-C repeats the first: npm passes on a signal that the terminal has already sent to all. */
const ECHO_MS = 500

export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

/**
 * Runs stages of `{ title?, args }` with `node`, one stage after the other. A stage of several runs them side by side and prints the
 * output of those that fail. Later stages run even when one has failed, so that one run tells everything; the first failure's exit
 * code is the result.
 */
export async function runAll(node, stages, { cwd, env, stopWhen }) {
  const running = new Set()
  let stoppedAt = 0
  const stop = (signal) => {
    const again = stoppedAt > 0 && performance.now() - stoppedAt > ECHO_MS
    if (stoppedAt > 0 && !again) return
    for (const child of running) child.kill(again ? "SIGKILL" : signal)
    if (!again) stoppedAt = performance.now()
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => stop(signal === "SIGHUP" ? "SIGTERM" : signal))
  const watch = stopWhen(() => stop("SIGTERM"))

  const run = ({ args, title }) =>
    new Promise((done) => {
      const child = spawn(node, title ? args : ["--import", pathToFileURL(FOLLOW).href, ...args], {
        cwd,
        env,
        stdio: title ? ["ignore", "pipe", "pipe"] : "inherit",
        // A process group of its own: the terminal's Ctrl-C reaches us, and we tell it once.
        detached: !windows
      })
      running.add(child)
      let output = ""
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk))
      const end = (code) => {
        running.delete(child)
        if (title) report(title, code, output)
        done(code)
      }
      child.once("error", (error) => {
        output += `${error.message}\n`
        if (!title) console.error(error.message)
        end(1)
      })
      child.once("close", (code, signal) => end(code ?? 128 + (SIGNALS[signal] ?? 0)))
    })

  let result = 0
  for (const stage of stages) {
    if (stoppedAt > 0) break
    const codes = await Promise.all(stage.map(run))
    result ||= codes.find((code) => code !== 0) ?? 0
  }
  clearInterval(watch)
  return result || (stoppedAt > 0 && stages.length > 1 ? 130 : 0)
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

function report(title, code, output) {
  if (code === 0) return console.error(`✓ ${title}`)
  console.error(`✗ ${title}\n${output.trimEnd()}\n`)
}

/**
 * npm runs scripts through `sh`, which passes no signal on: stopping npm would leave us running. So `gone` is called when the shell
 * or the npm above us has ended. Returns the timer.
 */
export function followParents(gone) {
  if (windows || !process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  const shell = /^(\S*\/)?(sh|bash|dash|zsh)\b/.test(commandOf(parent))
  const above = shell ? parentOf(parent) : undefined
  return setInterval(() => {
    if (process.ppid !== parent || (above > 1 && !isAlive(above))) gone()
  }, 300)
}

// Slim containers have no `ps`, macOS has no /proc.
function parentOf(pid) {
  return Number(stat(pid)?.split(") ").at(-1)?.split(" ")[1] ?? ps(pid, "ppid="))
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ps(pid, "command=")
  }
}

function stat(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch {
    return undefined
  }
}

function ps(pid, column) {
  return spawnSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? ""
}
