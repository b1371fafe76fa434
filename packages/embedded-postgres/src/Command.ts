import { Effect } from "effect"
import { spawn } from "node:child_process"
import type { Account } from "./Account.ts"

/** How a program ended. The code is -1 when it could not be started; `output` then says why. */
export interface Outcome {
  readonly code: number
  readonly output: string
}

export interface CommandOptions {
  readonly account: Account
  readonly cwd: string
  /** For a program that leaves a child process behind: the child would inherit a pipe and never close it. */
  readonly silent?: boolean
}

export const windows = process.platform === "win32"

// Only what PostgreSQL needs: the program's secrets must not be readable in the server's environment, and the shell's PGDATA or PGOPTIONS
// must not change anything. TZ keeps initdb from searching for the machine's time zone.
const environment = (): NodeJS.ProcessEnv => {
  const kept = [
    "PATH",
    "Path",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "ComSpec"
  ]
  const found = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  return { ...Object.fromEntries(found), LC_ALL: "C", LANG: "C", TZ: "UTC", PGUSER: "postgres" }
}

/**
 * Runs a program to its end, in a session of its own: Ctrl-C must not reach it, since a half-made data directory is useless. PostgreSQL's
 * programs take a second or are bounded by their own time limit.
 */
export const run = (program: string, args: ReadonlyArray<string>, options: CommandOptions): Effect.Effect<Outcome> =>
  Effect.uninterruptible(
    Effect.callback((resume) => {
      const io = options.silent ? "ignore" : "pipe"
      const child = spawn(program, args, {
        ...options.account,
        cwd: options.cwd,
        env: environment(),
        stdio: ["ignore", io, io],
        detached: !windows,
        windowsHide: true
      })
      let output = ""
      const collect = (chunk: Buffer) => {
        output += chunk.toString("utf8")
      }
      child.stdout?.on("data", collect)
      child.stderr?.on("data", collect)
      child.once("error", (error) => resume(Effect.succeed({ code: -1, output: error.message })))
      child.once(options.silent ? "exit" : "close", (code) =>
        resume(Effect.succeed({ code: code ?? -1, output: output.trim() }))
      )
    })
  )

/** Waits in real time: a server process does not follow a test's clock. */
export const pause = (milliseconds: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), milliseconds)
    return Effect.sync(() => clearTimeout(timer))
  })
