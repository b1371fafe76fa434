import { type AST, RegExpParser } from "@eslint-community/regexpp"

// Texts made against a regular expression: what it looks for, or part of it, over and over, and then something that does not fit. A
// backtracking matcher takes quadratic time, or worse, on one of them if it does on any.

/** A text is `prefix`, then `pump` as often as one likes, then an end that does not fit. */
export interface Attack {
  readonly prefix: string
  readonly pump: string
}

const ALPHABET = [..."a0- .\n(@/:\"A\\_='\t{é[%1zZb]}),;!<>+#&?*|$~`^\0\r\v\u0085\u2028😀"]

/** Different characters of a class: those that end a word and those that do not are needed both. */
const membersOf = (raw: string, flags: string) => {
  const one = new RegExp(`^${raw}$`, flags.replace("g", ""))
  return ALPHABET.filter((character) => one.test(character)).slice(0, 6)
}

type Node = AST.Node

/** One of the texts that a part of a pattern matches: `variant` chooses among alternatives, characters and numbers of repetitions. */
const sample = (node: Node, flags: string, variant: number): string => {
  switch (node.type) {
    case "Pattern":
    case "Group":
    case "CapturingGroup":
      return sampleOne(node.alternatives, flags, variant)
    case "Alternative":
      return node.elements.map((element) => sample(element, flags, variant)).join("")
    case "Quantifier": {
      const times = Math.min(node.max, Math.max(node.min, 1) + (variant % 2))
      return sample(node.element, flags, variant).repeat(Math.min(times, 64))
    }
    case "Character":
      return String.fromCodePoint(node.value)
    case "CharacterSet":
    case "CharacterClass": {
      const members = membersOf(node.raw, flags)
      return members[variant % Math.max(1, members.length)] ?? ""
    }
    default:
      return ""
  }
}

const sampleOne = (alternatives: ReadonlyArray<AST.Alternative>, flags: string, variant: number) => {
  const chosen = alternatives[variant % alternatives.length]
  return chosen === undefined ? "" : sample(chosen, flags, variant)
}

const VARIANTS = 6

/** Every run of neighbouring parts, at every depth, alone and behind what comes before it. */
export const attacksOn = ({ flags, source }: RegExp): ReadonlyArray<Attack> => {
  const unicode = flags.includes("u")
  const pattern = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(source, 0, source.length, { unicode })
  const sequences: Array<ReadonlyArray<AST.Element>> = []
  const collect = (node: Node): void => {
    if (node.type === "Alternative") sequences.push(node.elements)
    if ("alternatives" in node) node.alternatives.forEach((each) => collect(each))
    if ("elements" in node) node.elements.forEach((each) => collect(each))
    if ("element" in node) collect(node.element)
  }
  collect(pattern)
  const found = new Map<string, Attack>()
  for (const sequence of sequences)
    for (let variant = 0; variant < VARIANTS; variant++) {
      const parts = sequence.map((element) => sample(element, flags, variant))
      for (let from = 0; from < parts.length; from++)
        for (let to = from + 1; to <= parts.length; to++) {
          const pump = parts.slice(from, to).join("")
          if (pump === "") continue
          for (const prefix of ["", parts.slice(0, from).join("")]) found.set(`${prefix}\n\n${pump}`, { prefix, pump })
        }
    }
  return [...found.values()]
}
