import type { UsageRow } from "@llm-saas/client"
import { count } from "../../ui/format.ts"

/** What each unit is, as the ledger names them. */
const UNITS: Readonly<Record<string, string>> = {
  input: "Input tokens",
  cache_read: "Input tokens read from a cache",
  cache_write: "Input tokens written to a cache",
  cache_write_1h: "Input tokens written to a cache for an hour",
  input_audio: "Input tokens of sound",
  input_image: "Input tokens of images",
  output: "Output tokens",
  reasoning: "Reasoning tokens",
  output_audio: "Output tokens of sound",
  searches: "Searches",
  requests: "Calls that are paid for each"
}

/** Units that are no tokens. */
const NO_TOKENS: ReadonlySet<string> = new Set(["searches", "requests"])

/** A unit in words. */
export const unitName = (unit: string): string => UNITS[unit] ?? unit

/** Units in the order in which they are shown: as above, and what is not known here behind. */
export const inOrder = (units: ReadonlyArray<string>): ReadonlyArray<string> => {
  const known = Object.keys(UNITS)
  const place = (unit: string) => (known.includes(unit) ? known.indexOf(unit) : known.length)
  return units.toSorted((a, b) => place(a) - place(b) || a.localeCompare(b))
}

/** All tokens, each in one unit. */
export const tokens = ({ units }: Pick<UsageRow, "units">): number =>
  Object.entries(units).reduce((sum, [unit, used]) => (NO_TOKENS.has(unit) ? sum : sum + used), 0)

/** Units in a line: `1,204 input, 310 output`. */
export const unitsInShort = ({ units }: Pick<UsageRow, "units">): string =>
  inOrder(Object.keys(units))
    .map((unit) => `${count(units[unit] ?? 0)} ${unit.replaceAll("_", " ")}`)
    .join(", ")
