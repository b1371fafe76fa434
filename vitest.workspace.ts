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
    // Ends a test that hangs. Whole servers are started in hooks and in tests, and the machine may be busy: it is no measure of speed.
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
