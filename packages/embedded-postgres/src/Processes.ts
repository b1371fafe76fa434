import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

// The operating system's processes. `process.kill(pid, 0)` and a vanished /proc entry answer by throwing, hence the `try`s.

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

/** What a file says that may vanish while it is read. */
export const contents = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/** What a process was started with. Undefined where it cannot be told. */
export const commandLine = (pid: number): string | undefined => {
  if (process.platform === "linux") return contents(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ")
  if (process.platform === "win32") return undefined
  const asked = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" })
  return asked.status === 0 ? asked.stdout : undefined
}

/**
 * Tells a process from a later one with the same number: in a container the numbers repeat with every start. Empty where it cannot
 * be told.
 */
export const birth = (pid: number): string =>
  // Field 22, counted after the name, which may itself hold blanks and parentheses (proc_pid_stat(5)).
  process.platform === "linux" ? (contents(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[19] ?? "") : ""
