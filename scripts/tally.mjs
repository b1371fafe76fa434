// Prints `N passed, N failed` from vitest's JSON report. Exit code 1 when something failed or nothing ran.
import { readFileSync } from "node:fs"

const text = readFileSync(process.argv[2], "utf8")
const report = text === "" ? { testResults: [] } : JSON.parse(text)
const tests = report.testResults.flatMap((file) => file.assertionResults)
const count = (...statuses) => tests.filter((test) => statuses.includes(test.status)).length

// A file that could not even be loaded has no tests to count, and still failed.
const broken = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")
).length
const passed = count("passed")
const failed = count("failed") + broken
const skipped = count("pending", "skipped", "todo", "disabled")

if (text === "") console.log("The tests did not run.")
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
