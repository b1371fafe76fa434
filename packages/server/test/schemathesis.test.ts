import { assert, layer } from "@effect/vitest"
import { Access } from "@llm-saas/api/Access"
import { Api } from "@llm-saas/api/Api"
import { environment } from "@llm-saas/testing/VirtualEnvironment"
import { Context, Effect } from "effect"
import { HttpApi } from "effect/http-api"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { signUp } from "./People.ts"
import { spawned } from "./Process.ts"
import { Running } from "./Running.ts"

const VERSION = "4.32.5"
const ROOT = fileURLToPath(new URL("../../../", import.meta.url))

/** Operations that only admins may call, or the operator. */
let FOR_OTHERS = 0
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: ({ mergedAnnotations }) => {
    const access = Context.getOrUndefined(mergedAnnotations, Access)
    if (access === "admin" || access === "operator") FOR_OTHERS++
  }
})

const found = await Effect.runPromise(
  environment({ name: `schemathesis-${VERSION}`, requirement: `schemathesis==${VERSION}` })
)
const missing = "missing" in found ? found.missing : undefined

const SETTINGS = {
  MOCK_TOKENS: "2",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  GENERATIONS_PER_USER: "50",
  // It tries each operation with wrong keys, all from one address.
  LOGIN_FAILURES_PER_ADDRESS: "10000"
}

layer(Running.with(SETTINGS), { timeout: "180 seconds" })("the document", (it) => {
  it.effect("is tried by Schemathesis where there is a Python, and always by CI", () =>
    Effect.sync(() => {
      if (missing !== undefined) console.warn(`SKIPPED: Schemathesis, because there is ${missing}`)
      assert.isTrue(missing === undefined || !process.env["CI"], `CI must run Schemathesis, and there is ${missing}`)
    })
  )

  it.effect.skipIf(missing !== undefined)(
    "says exactly what the server does: Schemathesis finds nothing, with all of its checks, in a sample of all of its phases",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        const python = "python" in found ? found.python : ""
        // It writes down what it found where it runs.
        const directory = mkdtempSync(join(tmpdir(), "llm-saas-schemathesis-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
        const tried = yield* spawned(
          python,
          [
            "-m",
            "schemathesis.cli",
            "--config-file",
            join(ROOT, "schemathesis.toml"),
            "run",
            `http://127.0.0.1:${port}/openapi.json`,
            `--header=Authorization: Bearer ${token}`,
            "--checks=all",
            "--phases=examples,coverage,fuzzing,stateful",
            "--max-examples=3",
            "--seed=1",
            "--generation-database=none",
            "--no-color"
          ],
          { HOME: process.env["HOME"] ?? "", PYTHONUTF8: "1" },
          directory
        )
        const { code } = yield* tried.ended
        const { stderr, stdout } = tried.output()
        assert.strictEqual(code, 0, `${stderr}${stdout}`)
        // A run that tried nothing finds nothing either.
        const [, selected, all] = /Selected: (\d+)\/(\d+)/u.exec(stdout) ?? []
        assert.strictEqual(selected, all)
        assert.isAtLeast(Number(/(\d+) generated/u.exec(stdout)?.[1]), 1000, stdout)
        // Nor does one whose token has ended on the way. The operations for admins answer so all the same, since the admin
        // may have become a user, and those for the operator.
        assert.isAtMost(Number(/Authentication failed: (\d+) /u.exec(stdout)?.[1] ?? 0), FOR_OTHERS, stdout)
      }).pipe(Effect.scoped),
    { timeout: 600_000 }
  )
})
