import { SchemaIssue } from "effect"
import type { SchemaIssueText } from "./Refusals.ts"

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const MAX_MISFITS = 20

/** What is wrong with a value from outside: where, and what was expected, without repeating the value. */
export const schemaIssuesOf = (issue: SchemaIssue.Issue, slot: string): ReadonlyArray<SchemaIssueText> =>
  formatIssues(issue).issues.slice(0, MAX_MISFITS).map(toMisfit(slot))

const toMisfit =
  (slot: string) =>
  (issue: ReturnType<typeof formatIssues>["issues"][number]): SchemaIssueText => ({
    path: [
      slot,
      ...(issue.path ?? []).map((step) => {
        const key = typeof step === "object" ? step.key : step
        return typeof key === "number" ? key : String(key).slice(0, 64)
      })
    ],
    message: plainly(issue.message)
  })

/** What was expected, in plain words. Messages contain the value only if a schema asks for `reportInput`: it is cut off all the same. */
export const plainly = (message: string): string => {
  if (message === "Missing key") return "Expected a value, and there is none"
  const said = message.replace(/, got [\s\S]*$/u, "")
  const [, expected] = /^Expected ([\s\S]+)$/u.exec(said) ?? []
  return expected === undefined ? said.slice(0, 200) : `Expected ${alternatives(expected)}`.slice(0, 200)
}

/** `string | null`, as TypeScript writes it, becomes text or null. */
const alternatives = (type: string): string =>
  // An anonymous shape is written out as TypeScript, with alternatives of its own.
  type.startsWith("{") ? "an object" : [...new Set(type.split(" | ").map(named))].join(" or ")

const named = (type: string): string => {
  const word = WORDS[type]
  if (word !== undefined) return word
  // The name of one of our schemas, which the sender need not know. Our own checks describe themselves.
  return /^[A-Z]\w*$/u.test(type) ? "an object" : type
}

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object"
}
