import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"

/** The path of a Python with the required package, or why there is none. */
export type Found = { readonly python: string } | { readonly missing: string }

/**
 * A virtual environment with pinned Python packages (separated by spaces), in the machine's cache: made once, with uv in seconds where pip takes minutes. Two
 * test runs at once build one each, and the first to finish is kept.
 */
export const environment = Effect.fnUntraced(function* ({
  name,
  requirement
}: {
  readonly name: string
  readonly requirement: string
}) {
  const base = process.env["PYTHON"] || "python3"
  const version = yield* output(base, [
    "-c",
    "import sys, venv, ensurepip; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
  ])
  if (Option.isNone(version)) return { missing: `no ${base} that makes virtual environments (PYTHON names another)` }
  const minor = version.value.trim()
  const cache = writable(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")) ?? tmpdir()
  const home = join(cache, "llm-saas", `${name}-python${minor}-${process.platform}-${process.arch}`)
  if (existsSync(join(home, READY))) return { python: pythonIn(home) }

  yield* Effect.logInfo(`installing ${requirement} for the tests into ${home} (once) …`)
  const draft = `${home}.${randomUUID().slice(0, 8)}`
  const python = pythonIn(draft)
  const built = yield* output(base, ["-m", "venv", draft]).pipe(
    Effect.flatMap((made) =>
      Option.isNone(made)
        ? Effect.succeed(made)
        : Effect.flatMap(installed(python, "uv"), (uv) =>
            Option.isSome(uv)
              ? output(python, ["-m", "uv", "pip", "install", "--quiet", "--python", python, ...requirement.split(" ")])
              : installed(python, ...requirement.split(" "))
          )
    )
  )
  return yield* Effect.sync((): Found => {
    if (Option.isNone(built)) {
      rmSync(draft, { recursive: true, force: true })
      return { missing: `no ${requirement} to be had from PyPI` }
    }
    writeFileSync(join(draft, READY), "")
    try {
      renameSync(draft, home)
    } catch {
      // Another run was first.
      rmSync(draft, { recursive: true, force: true })
    }
    return { python: pythonIn(home) }
  })
})

const pythonIn = (directory: string) =>
  process.platform === "win32" ? join(directory, "Scripts", "python.exe") : join(directory, "bin", "python")

const installed = (python: string, ...what: ReadonlyArray<string>) =>
  output(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", ...what])

const READY = ".ready"

const writable = (directory: string): string | undefined => {
  try {
    mkdirSync(join(directory, "llm-saas"), { recursive: true })
    return directory
  } catch {
    return undefined
  }
}

/** A program's output; nothing if it cannot be run or fails. Ten minutes are enough for PyPI on a bad day. */
export const output = (program: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.callback<Option.Option<string>>((resume) => {
    const child = execFile(
      program,
      args,
      { timeout: 600_000, maxBuffer: 50_000_000, env: { ...process.env, PIP_NO_WARN_SCRIPT_LOCATION: "1", ...env } },
      (error, stdout) => resume(Effect.succeed(error === null ? Option.some(stdout) : Option.none()))
    )
    return Effect.sync(() => child.kill())
  })
