import { assert, layer } from "@effect/vitest"
import { environment } from "@llm-saas/testing/VirtualEnvironment"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { spawned } from "../Process.ts"
import { Keyed } from "./Keyed.ts"
import { PYTHON_SDKS } from "./PythonSdks.ts"

const PAGE = readFileSync(new URL("../../../../docs/sdks.md", import.meta.url), "utf8")
/** Where Node finds the SDKs. */
const DIRECTORY = fileURLToPath(new URL("../..", import.meta.url))

/** The programs of the page in a language, with the heading above each. */
const programs = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^## (.+)$(?:(?!^## )[^])*?^\`\`\`${language}\n([^]*?)^\`\`\``, "gmu"))].map(
    ([, heading = "", program = ""]) => ({ heading, program })
  )

const python = await Effect.runPromise(environment(PYTHON_SDKS))

const runs = (program: string, command: string, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { key, url } = yield* Keyed
    const tried = yield* spawned(command, args, { LLM_SAAS_URL: url, LLM_SAAS_KEY: key }, DIRECTORY, program)
    const { code } = yield* tried.ended
    const { stderr, stdout } = tried.output()
    assert.strictEqual(code, 0, stdout + stderr)
    assert.isAbove(stdout.length, 20, stderr)
  }).pipe(Effect.scoped)

layer(Keyed.layer, { timeout: "300 seconds", excludeTestServices: true })("docs/sdks.md", (it) => {
  const node = programs("ts")
  const inPython = programs("python")

  it.effect("has a program for each SDK", () =>
    Effect.sync(() => assert.deepStrictEqual([node.length, inPython.length], [4, 3]))
  )
  for (const { heading, program } of node)
    it.effect(`runs: ${heading}`, () => runs(program, process.execPath, ["--input-type=module-typescript", "-"]))
  for (const { heading, program } of inPython)
    it.effect.skipIf("missing" in python)(`runs: ${heading}`, () =>
      runs(program, "python" in python ? python.python : "", ["-"])
    )
})
