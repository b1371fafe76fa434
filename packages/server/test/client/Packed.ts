import { Context, Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url))

/** Runs a program to its end; fails the test where it fails. */
export const run = (
  program: string,
  args: ReadonlyArray<string>,
  { cwd = ROOT, env = {} }: { readonly cwd?: string; readonly env?: Record<string, string> } = {}
) =>
  Effect.callback<string>((resume) => {
    const child = execFile(
      program,
      args,
      { cwd, env: { ...process.env, ...env }, maxBuffer: 1e8 },
      (error, stdout, stderr) =>
        resume(
          error === null
            ? Effect.succeed(stdout)
            : Effect.die(new Error(`${program} ${args.join(" ")}: ${error.message}\n${stdout}\n${stderr}`))
        )
    )
    child.stdin?.end()
    return Effect.sync(() => child.kill())
  })

/** npm, without the network, and with a cache of its own. */
export const npm = (args: ReadonlyArray<string>, cwd: string) =>
  run("npm", [...args, "--offline", "--no-audit", "--no-fund"], { cwd, env: { npm_config_cache: join(cwd, ".npm") } })

/** A directory of the test's own, outside of the workspace. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-client-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The client as it is published, built into a directory. */
export class Packed extends Context.Service<Packed, { readonly path: string }>()("test/client/Packed") {
  static readonly layer = Layer.effect(
    Packed,
    Effect.gen(function* () {
      const path = join(yield* directory, "package")
      yield* run(process.execPath, ["scripts/client.mjs", path])
      return { path }
    })
  )
}
