import { Result, Schema, SchemaIssue } from "effect"
import { plainly } from "../http/SchemaIssues.ts"
import { closest } from "./Closest.ts"

/** Something that is wrong in a file. Never a value of it: it may be a secret. */
export interface FileError {
  /** Where, such as `models.fast.targets[1].provider`; empty: the file itself. */
  readonly path: string
  /** `expected …`, mostly. */
  readonly message: string
}

export type Path = ReadonlyArray<PropertyKey>

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** The value as the schema has it, or everything that is wrong with it. `members`: the names of the object at a path below `at`. */
export const decode = <A>(
  schema: Schema.ConstraintDecoder<A, never>,
  value: unknown,
  at: Path,
  members: (path: Path) => ReadonlyArray<string>
): Result.Result<A, ReadonlyArray<FileError>> =>
  Result.mapError(
    Schema.decodeUnknownResult(schema)(value, { errors: "all", onExcessProperty: "error" }),
    ({ issue }) =>
      formatIssues(issue).issues.map(({ message, path }) => {
        const inside = (path ?? []).map((step) => (typeof step === "object" ? step.key : step))
        return {
          path: pathOf([...at, ...inside]),
          message:
            message === EXCESS ? noMember(String(inside.at(-1)), members(inside.slice(0, -1))) : expectedIn(message)
        }
      })
  )

/** What Effect says of a member that a struct does not have. */
const EXCESS = "Expected no excess property"

const expectedIn = (message: string): string => plainly(message).replace(/^Expected /u, "expected ")

const noMember = (name: string, members: ReadonlyArray<string>): string =>
  `there is no such member${meant(name, members)}`

/** A hint at the name that is meant, if one is close. */
export const meant = (name: string, known: Iterable<string>): string => {
  const right = closest(name, known)
  return right === undefined ? "" : `; did you mean ${right}?`
}

/** `models.fast.targets[1]`; names that need it are quoted: `models["gpt-4.1"]`. */
export const pathOf = (path: Path): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`
    const name = String(step).slice(0, 64)
    if (!/^[A-Za-z_][\w-]*$/u.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === "" ? name : `${text}.${name}`
  }, "")

/** The line for the operator. */
export const lineOf = ({ message, path }: FileError): string => (path === "" ? message : `${path}: ${message}`)
