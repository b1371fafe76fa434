import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"

/**
 * Why a password may not be chosen: it has fewer characters than this installation asks for; many people have it; it is one short piece
 * over and over, or a row such as `abcdefgh`; or it is made of the account's address or a name of the product or the tenant.
 */
export const PasswordFlaw = Schema.Literals(["short", "common", "simple", "personal"])
export type PasswordFlaw = typeof PasswordFlaw.Type

/** A password that may not be chosen. `min_characters`: how many this installation asks for. Depends on no account that exists. */
export class PasswordRefused extends Problem<PasswordRefused>()("PasswordRefused", "password_refused", {
  reason: PasswordFlaw,
  min_characters: Schema.Int
}) {}

/** What is known of the account that gets the password. */
export interface PasswordOwner {
  readonly email: string
  /** Names that everyone may guess: of the tenant, of the product. */
  readonly names: ReadonlyArray<string>
}

/** What an installation asks of passwords. */
export interface PasswordDemands {
  /** Code points. */
  readonly minCharacters: number
  /** Whether many people have it. Asked with what {@link folded} makes of a password. */
  readonly isCommon: (text: string) => boolean
}

/**
 * The first flaw of a password. As NIST SP 800-63B-4 §3.1.1.2 asks: the whole password is compared, never a part of it, and nothing is
 * asked of its composition.
 */
export const flawOf = (
  password: string,
  owner: PasswordOwner,
  { isCommon, minCharacters }: PasswordDemands
): PasswordFlaw | undefined => {
  const text = folded(password)
  if ([...password].length < minCharacters) return "short"
  if (isCommon(text)) return "common"
  if (isSimple([...text])) return "simple"
  const word = essence(text)
  // A year or a number behind a name is the first that is tried.
  const bare = word.replace(/\d{1,4}$/u, "")
  const [local = ""] = owner.email.split("@")
  return [owner.email, local, ...owner.names]
    .map((name) => essence(folded(name)))
    .some((name) => name !== "" && (name === word || name === bare))
    ? "personal"
    : undefined
}

/** What is said to people about a flaw. */
export const flawDetail = (flaw: PasswordFlaw, minCharacters: number): string => {
  switch (flaw) {
    case "short":
      return `The password needs at least ${minCharacters} characters. Several words in a row are easy to remember.`
    case "common":
      return "The password is one of those that many people choose, and that are tried first."
    case "simple":
      return "The password is one short piece over and over, or characters in their order."
    case "personal":
      return "The password is made of the email address, or of the name of the product or the tenant."
  }
}

/** Upper and lower case, and forms of the same character, are one. */
export const folded = (text: string): string => text.normalize("NFKC").trim().toLowerCase()

/** Letters and digits alone: `Acme Corp.` is `acmecorp`. */
const essence = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, "")

/** Characters of a piece that is repeated. */
const LONGEST_PIECE = 4

const isSimple = (text: ReadonlyArray<string>): boolean => {
  for (let piece = 1; piece <= LONGEST_PIECE; piece++)
    if (text.every((character, place) => place < piece || character === text[place - piece])) return true
  return inOrder(text, 1) || inOrder(text, -1)
}

/** Whether each character is the next one (`by` 1) or the one before (-1). 0 follows 9. */
const inOrder = (text: ReadonlyArray<string>, by: 1 | -1): boolean =>
  text.every((character, place) => {
    const before = text[place - 1]
    if (before === undefined) return true
    if (/\d/u.test(before) && /\d/u.test(character)) return (Number(before) + by + 10) % 10 === Number(character)
    return (before.codePointAt(0) ?? 0) + by === character.codePointAt(0)
  })
