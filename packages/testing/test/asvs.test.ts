import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))
const PAGE = readFileSync(`${ROOT}docs/asvs.md`, "utf8")

/** How many requirements the sections of V6 and V7 have, in OWASP ASVS 5.0. */
const SECTIONS: Readonly<Record<string, number>> = {
  "6.1": 3,
  "6.2": 12,
  "6.3": 8,
  "6.4": 6,
  "6.5": 8,
  "6.6": 4,
  "6.7": 2,
  "6.8": 4,
  "7.1": 3,
  "7.2": 4,
  "7.3": 2,
  "7.4": 5,
  "7.5": 3,
  "7.6": 2
}

const rows = [...PAGE.matchAll(/^\| (\d+\.\d+\.\d+\S*) \| ([123]) \| (.+?) \|(.*)\|$/gmu)].map(
  ([, number = "", , text = "", test = ""]) => ({ number, text, test: test.trim() })
)
const numbersOf = (kept: (text: string) => boolean) => rows.filter(({ text }) => kept(text)).map(({ number }) => number)

/** What stands after these words, up to the full stop that ends the line. */
const listed = (words: string) => new RegExp(`^${words}: (.*)\\.$`, "mu").exec(PAGE)?.[1]?.split(", ")

describe("docs/asvs.md", () => {
  it("has one row for each requirement of the chapters on authentication and sessions", () => {
    const all = Object.entries(SECTIONS).flatMap(([section, length]) =>
      Array.from({ length }, (_, at) => `${section}.${at + 1}`)
    )
    assert.deepStrictEqual(
      rows.map(({ number }) => number).filter((number) => /^[67]\./u.test(number)),
      all
    )
    assert.strictEqual(new Set(rows.map(({ number }) => number)).size, rows.length)
  })

  it("names tests that are there, by file and title", () => {
    const gone = rows.flatMap(({ number, test }) =>
      [...test.matchAll(/`([\w./-]+\.test\.ts)` ((?:\*[^*]+\*(?:, )?)+)/gu)].flatMap(([, file = "", titles = ""]) => {
        const path = `${ROOT}packages/${file}`
        if (!existsSync(path)) return [`${number}: ${file}`]
        const source = readFileSync(path, "utf8")
        return [...titles.matchAll(/\*([^*]+)\*/gu)]
          .filter(([, title = ""]) => !source.includes(`"${title}"`))
          .map(([, title = ""]) => `${number}: ${file}, ${title}`)
      })
    )
    assert.deepStrictEqual(gone, [], "tests that were renamed or removed")
  })

  it("has a test, or the place where it is written, for each that is met, and neither for those that are not", () => {
    for (const { number, test, text } of rows) {
      const isHeld = /`[\w./-]+\.test\.ts` \*/u.test(test) || /^\[[^\]]+\]\([^)]+\)$/u.test(test)
      assert.strictEqual(isHeld, !/^(?:– |\*\*not met\*\*)/u.test(text), number)
      assert.strictEqual((test.match(/\.test\.ts`/gu) ?? []).length, (test.match(/\.test\.ts` \*/gu) ?? []).length)
    }
  })

  it("lists what is not met, and what is in part", () => {
    assert.deepStrictEqual(
      listed("Not met"),
      numbersOf((text) => text.startsWith("**not met**"))
    )
    assert.deepStrictEqual(
      listed("In part"),
      numbersOf((text) => text.startsWith("**in part**"))
    )
  })
})
