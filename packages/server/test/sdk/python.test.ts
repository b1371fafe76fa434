import { assert, layer } from "@effect/vitest"
import { environment } from "@llm-saas/testing/VirtualEnvironment"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { spawned } from "../Process.ts"
import { Keyed } from "./Keyed.ts"
import { PYTHON_SDKS } from "./PythonSdks.ts"

const found = await Effect.runPromise(environment(PYTHON_SDKS))
const missing = "missing" in found ? found.missing : undefined

layer(Keyed.layer, { timeout: "300 seconds", excludeTestServices: true })("the SDKs for Python", (it) => {
  it.effect("are tried where there is a Python, and always by CI", () =>
    Effect.sync(() => {
      if (missing !== undefined) console.warn(`SKIPPED: the SDKs for Python, because there is ${missing}`)
      assert.isTrue(missing === undefined || !process.env["CI"], `CI must run them, and there is ${missing}`)
    })
  )

  it.effect.skipIf(missing !== undefined)("work unchanged: OpenAI's, Anthropic's and LangChain", () =>
    Effect.gen(function* () {
      const { key, url } = yield* Keyed
      const python = "python" in found ? found.python : ""
      const tried = yield* spawned(python, [fileURLToPath(new URL("sdks.py", import.meta.url))], { KEY: key, URL: url })
      const { code } = yield* tried.ended
      const { stderr, stdout } = tried.output()
      assert.strictEqual(code, 0, stdout + stderr)
      assert.strictEqual(stdout.match(/^ok /gmu)?.length, 6, stdout)
    })
  )
})
