import { assert, describe, it } from "@effect/vitest"
import { redact, redactLong, RULES } from "@llm-saas/domain/Redaction"
import { Effect } from "effect"
import * as fc from "fast-check"

const PIECES = [
  "postgres://app:hunter2@db:5432/x",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
  "Authorization: Bearer abcdefghijklmnop",
  '{"password": "a \\"quoted\\" one"}',
  '{\\"token\\":\\"escaped\\"}',
  "sk-proj-abcdEFGH12345678",
  "ada.lovelace+x@mail.example.co.uk",
  "+49 (0)30 1234-5678",
  "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
  "Key (tenant_id, email)=(1, alice@acme.com) already exists.",
  'invalid input syntax for type uuid: "hunter2\nhunter3"',
  "plain words, 12 of them"
]

describe("redaction", () => {
  it("removes each kind, also if the text was cut in the middle of a secret", () => {
    const cases: ReadonlyArray<readonly ["log" | "content", string, string]> = [
      ["log", 'password="cut in the mid', "password=***"],
      ["log", '{"password": "a \\"quoted\\" one", "x": 1}', '{"password": ***, "x": 1}'],
      ["log", '{\\"token\\":\\"escaped\\",\\"x\\":1}', '{\\"token\\":***,\\"x\\":1}'],
      ["log", "x-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y", "x-*** y"],
      ["log", "Key (lower(email))=(a\nb) already exists.", "Key (lower(email))=(***) already exists."],
      [
        "log",
        'invalid input syntax for type uuid: "hunter2\nhunter3"\nnext',
        "invalid input syntax for type uuid: ***\nnext"
      ],
      ["log", "postgres://app:p@ss@db/x", "postgres://***@db/x"],
      ["content", "-----BEGIN PRIVATE KEY-----\nMIIE and no end", "[private key]"],
      ["content", "see https://example.com/@ada, not me", "see https://example.com/@ada, not me"]
    ]
    for (const [purpose, text, safe] of cases) assert.strictEqual(redact(purpose, text), safe)
  })

  it("finds the same at any place of a long text, in windows as in one piece", () => {
    const whole = (purpose: "log" | "content", text: string) =>
      RULES.filter(({ only }) => only === undefined || only === purpose).reduce(
        (safe, { label, pattern }) =>
          safe.replace(
            pattern,
            (_, first: unknown) => (typeof first === "string" ? first : "") + (purpose === "log" ? "***" : `[${label}]`)
          ),
        text
      )
    fc.assert(
      fc.property(
        fc.constantFrom("log" as const, "content" as const),
        fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }),
        // Around the end of a window.
        fc.integer({ min: 32_600, max: 32_900 }),
        (purpose, pieces, place) => {
          const text = `${"word ".repeat(place / 5)}${"x".repeat(place % 5)} ${pieces.join(" ")}${" end".repeat(12_000)} ${pieces.join("\n")}`
          assert.isTrue(redact(purpose, text) === whole(purpose, text))
        }
      ),
      { numRuns: 40 }
    )
  })

  it("removes a secret that is longer than any window as a whole", () => {
    assert.strictEqual(redact("content", `a eyJhbGci.${"x".repeat(300_000)} b`), "a [token] b")
    assert.strictEqual(redact("content", `a password="${"x ".repeat(150_000)}" b`), "a password=[secret] b")
  })

  it.live("lets others have their turn: no step of a long text holds the event loop for long", () =>
    Effect.gen(function* () {
      for (const piece of ["a@", "eyJaaaa-", 'password="', "1 ", "-----BEGIN PRIVATE KEY----- ", "a://b:", "x"]) {
        let turns = 0
        let over = false
        const count = () => {
          turns++
          if (!over) setImmediate(count)
        }
        setImmediate(count)
        yield* redactLong("content", piece.repeat(1_000_000 / piece.length))
        over = true
        // Thirty windows and about ten rules, except if nearly all of it is one secret.
        assert.isAbove(turns, piece.startsWith("-----") ? 10 : 100, piece)
      }
    })
  )
})
