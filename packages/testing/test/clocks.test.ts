import { assert, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const PACKAGES = fileURLToPath(new URL("../..", import.meta.url))

// Who may read the wall clock, and what for. Durations, time-outs and windows are the monotonic clock's (domain/Time.ts): a wall clock
// steps. A new line here is a decision.
const WALL: Readonly<Record<string, string>> = {
  "domain/src/Time.ts": "the one place",
  "database/src/Isolation.ts": "when a report was made",
  "server/src/commands/Audit.ts": "when a report was made",
  "server/src/commands/BackupCommands.ts": "the name of a backup",
  "server/src/auth/AccessTokens.ts": "iat and exp of tokens",
  "server/src/auth/SsoTrips.ts": "until when a login under way is good: another process may end it",
  "server/src/auth/ProviderLogins.ts": "until when a choice of an account is good, at any process",
  "server/src/auth/Proofs.ts": "until when a proof is good",
  "server/src/auth/PasskeyEnrolments.ts": "until when a passkey may be added",
  "server/src/http/Exchange.ts": "when an allowance is whole again, in Anthropic's headers",
  "server/src/http/handlers/operator.ts": "which day it is, for a report that names none",
  "server/src/process/Startup.ts": "when the start failed",
  "server/src/logging/RequestLines.ts": "the time of a log line",
  "engine/src/usage/UsageReports.ts": "which month and day it is, for a report that names none",
  "mlflow/src/RunFiles.ts": "when an experiment was made",
  "llm/src/ProviderRequest.ts": "a date in Retry-After",
  "testing/src/Clocks.ts": "a wall that steps"
}

const READS =
  /\b(?:currentTimeMillis|currentTimeNanos|currentTimeMillisUnsafe|currentTimeNanosUnsafe|wallMillis)\b|\bDateTime\.(?:now|unsafeNow|nowUnsafe)\b|\bDate\.now\b|new Date\(\)|\btimeOrigin\b/u
/** What measures with the wall clock by itself: only through `steadily`. */
const MEASURES = /\b(?:cachedWithTTL|cachedInvalidateWithTTL|upTo|CircuitBreaker\.make|RateLimiter\.make)\(/u

const sources = readdirSync(PACKAGES).flatMap((name) =>
  readdirSync(join(PACKAGES, name, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({
      file: `${name}/src/${file.replaceAll("\\", "/")}`,
      text: readFileSync(join(PACKAGES, name, "src", file), "utf8")
    }))
)

it("the wall clock is read where it says when something was, and nowhere else", () => {
  const readers = sources.filter(({ text }) => READS.test(text)).map(({ file }) => file)
  // The plain client and the console are no part of the server.
  const strangers = readers.filter((file) => !(file in WALL) && !/^(?:client|console)\//u.test(file))
  assert.deepStrictEqual(strangers, [])
})

it("library code that measures with the wall clock gets the monotonic one", () => {
  const without = sources
    .filter(({ text }) => MEASURES.test(text) && !/steadily\(|around: steadily\b/u.test(text))
    .map(({ file }) => file)
  assert.deepStrictEqual(without, [])
})
