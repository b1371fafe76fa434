import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

// `process.kill(pid, 0)` and reading a vanished /proc entry throw, hence the `try`s.

/** Whether a process with this number exists. */
export const alive = (pid: number): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** The text of a file that may vanish while it is read. */
export const contents = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/** A process's command line. Undefined if it cannot be read. */
export const commandLine = (pid: number): string | undefined => {
  if (process.platform === "linux") return contents(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ")
  if (process.platform === "win32") return undefined
  const asked = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" })
  return asked.status === 0 ? asked.stdout : undefined
}

/**
 * Distinguishes a process from a later one with the same number: in a container the numbers repeat after every start. Empty if unknown.
 */
export const startTime = (pid: number): string =>
  // Field 22, counted after the name, which may contain spaces and parentheses (proc_pid_stat(5)).
  process.platform === "linux" ? (contents(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[19] ?? "") : ""
