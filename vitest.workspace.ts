import { readdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

// Named on the command line (`vitest --config vitest.workspace.ts`): `npm test` does so.
export default defineConfig({
  test: {
    projects: readdirSync("packages").map((name) => ({
      extends: true,
      test: { name, root: `packages/${name}`, include: ["test/**/*.test.ts"] }
    })),
    // .ci/run asks for a report to count from.
    reporters: process.env["TEST_REPORT"]
      ? ["default", ["json", { outputFile: process.env["TEST_REPORT"] }]]
      : ["default"],
    // One PostgreSQL a run, started when the first test asks for a database.
    globalSetup: ["packages/testing/src/globalSetup.ts"],
    // Files wait for processes and disks as much as they compute; vitest would leave a core of two unused.
    maxWorkers: Math.max(2, availableParallelism()),
    // No test may lean on the one before it.
    sequence: { shuffle: true },
    // A slow machine's seconds, not ours: whole suites of real servers are started in hooks.
    testTimeout: 20_000,
    hookTimeout: 60_000
  }
})
