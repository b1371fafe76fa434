import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"

const STARTUP = new URL("../src/process/Startup.ts", import.meta.url).href

// Much more than a pipe holds.
const LENGTH = 3_000_000
const PROGRAM = `import { Exit } from "effect"
import { exitCode } from ${JSON.stringify(STARTUP)}
process.stdout.write("x".repeat(${LENGTH}))
exitCode(Exit.void, (code) => process.exit(code))`

it.effect("a program's output is whole, however slowly it is read", () =>
  Effect.gen(function* () {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"]
    })
    let read = 0
    child.stdout.on("readable", () => {
      // A little at a time, when there is time for it.
      setImmediate(() => (read += child.stdout.read()?.length ?? 0))
    })
    yield* Effect.callback<void>((resume) => void child.once("close", () => resume(Effect.void)))
    assert.deepStrictEqual([read, child.exitCode], [LENGTH, 0])
  })
)
