import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseSync } from "rolldown/utils"
import { attacksOn } from "./Attacks.ts"

// One event loop serves all tenants, and a regular expression that backtracks holds it for as long as it likes. So none of ours may, also
// those that today only see text of our own: what a pattern is used for changes more easily than the pattern.

const PACKAGES = fileURLToPath(new URL("../..", import.meta.url))

interface Found {
  readonly file: string
  readonly pattern: RegExp
}

/** All regular expressions of the sources, and the files that make some at run time. */
const collect = () => {
  const found: Array<Found> = []
  const made = new Set<string>()
  for (const name of readdirSync(PACKAGES))
    for (const path of readdirSync(join(PACKAGES, name, "src"), { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue
      const file = join(name, "src", path)
      const walk = (node: unknown): void => {
        if (typeof node !== "object" || node === null) return
        const regex: unknown = Reflect.get(node, "regex")
        if (Reflect.get(node, "type") === "Literal" && typeof regex === "object" && regex !== null)
          found.push({ file, pattern: new RegExp(Reflect.get(regex, "pattern"), Reflect.get(regex, "flags")) })
        const callee: unknown = Reflect.get(node, "callee")
        if (typeof callee === "object" && callee !== null && Reflect.get(callee, "name") === "RegExp") made.add(file)
        for (const value of Object.values(node)) walk(value)
      }
      walk(parseSync(file, readFileSync(join(PACKAGES, file), "utf8")).program)
    }
  return { found, made }
}

const { found, made } = collect()

/** The regular expressions that a module puts together when it is loaded. */
const madeBy = async (file: string, load: () => Promise<unknown>) => {
  const Plain = globalThis.RegExp
  globalThis.RegExp = new Proxy(Plain, {
    construct: (target, [pattern, flags]: [string, string | undefined]) => {
      const made = new target(pattern, flags)
      if (new Error("where").stack?.includes(file) === true) found.push({ file, pattern: made })
      return made
    }
  })
  await load().finally(() => {
    globalThis.RegExp = Plain
  })
}
await madeBy("domain/src/User.ts", () => import("@llm-saas/domain/User"))
await madeBy("domain/src/SingleSignOn.ts", () => import("@llm-saas/domain/SingleSignOn"))

/** Rules by which models are found in the seed of prices: names in providers' answers are compared with them, and addresses. */
const SEEDED = /"(regex|url)":("(?:[^"\\]|\\.)*")/gu
for (const [, kind, text = '""'] of readFileSync(join(PACKAGES, "../sql/seed/prices.jsonl"), "utf8").matchAll(SEEDED)) {
  const rule: unknown = JSON.parse(text)
  const pattern = new RegExp(kind === "url" ? `^(?:${String(rule)})` : String(rule), "u")
  found.push({ file: "domain/src/PriceCatalogue.ts", pattern })
}

/** Lengths that are tried one after the other: the first ones end what is worse than quadratic before it takes for ever. */
const LENGTHS = [24, 1000, 32_000]
/** Milliseconds. Quadratic takes 150 and more for the longest, linear takes 2 at most. A busy machine may take a few tries. */
const LIMIT = 60
const TRIES = 4
const ENDS = ["", "\n\0", "!a"]

/** The first text that takes too long, if there is one. */
const slowest = (pattern: RegExp): string | undefined => {
  const everywhere = new RegExp(pattern, pattern.flags.includes("g") ? pattern.flags : `${pattern.flags}g`)
  for (const { prefix, pump } of attacksOn(pattern))
    for (const length of LENGTHS)
      for (const end of ENDS) {
        const text = prefix + pump.repeat(Math.ceil(length / pump.length)) + end
        let least = Number.POSITIVE_INFINITY
        for (let tries = 0; tries < TRIES && least > LIMIT; tries++) {
          const started = performance.now()
          text.replace(everywhere, "")
          least = Math.min(least, performance.now() - started)
        }
        if (least > LIMIT) return JSON.stringify([prefix, pump, end, length])
      }
  return undefined
}

describe("regular expressions", () => {
  it("are all found", () => {
    assert.isAbove(found.length, 100)
    // Redaction copies its rules, so that each copy has its own `lastIndex`. Another module that makes some must be loaded above.
    assert.deepStrictEqual(
      [...made],
      ["domain/src/PriceCatalogue.ts", "domain/src/Redaction.ts", "domain/src/SingleSignOn.ts", "domain/src/User.ts"]
    )
    assert.isAtLeast(found.filter(({ file }) => file === "domain/src/User.ts").length, 2)
    // Three that are written out, and one that is put together.
    assert.isAtLeast(found.filter(({ file }) => file === "domain/src/SingleSignOn.ts").length, 4)
  })

  it("that backtrack would be noticed", { timeout: 120_000 }, () => {
    for (const pattern of [/\/+$/u, /\beyJ[\w-]{4,}\.[\w-]+/u, /<.*>/u])
      assert.isDefined(slowest(pattern), String(pattern))
  })

  for (const [file, patterns] of Map.groupBy(found, ({ file }) => file))
    it(`of ${file} take time in proportion to the text`, { timeout: 120_000 }, () => {
      for (const { pattern } of patterns) assert.isUndefined(slowest(pattern), String(pattern))
    })
})
