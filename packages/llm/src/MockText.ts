// Text of the mock model: sentences with words of the question, the same for the same question.

/** Pseudo-random numbers in [0, 1), the same for the same seed (mulberry32). */
const numbers = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** FNV-1a over UTF-16 units. */
const seedOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

const OPENINGS = [
  "In short, TOPIC is best understood by what it does",
  "TOPIC comes up often, and for good reason",
  "There are several ways to look at TOPIC",
  "A good place to begin with TOPIC is a small example",
  "People usually meet TOPIC when they need something that works reliably"
]
const SENTENCES = [
  "It keeps the simple things simple and leaves room for the rest",
  "Most of the work happens before anybody notices, which is the point",
  "The first step is to write down what should be true, and to test exactly that",
  "When TOPIC grows, small parts with clear names age better than clever ones",
  "Two questions help here: who owns the data, and what happens when a part fails",
  "A sensible default covers nine cases of ten, and the tenth deserves a setting",
  "In practice, measuring beats guessing, and a short list beats a long one",
  "If something is slow, look for a wait before you look for a loop",
  "None of this is specific to TOPIC, but TOPIC shows it well",
  "It is worth reading the documentation once from beginning to end",
  "You can try it in a few minutes and decide with something real in front of you",
  "What matters most is that mistakes are cheap to find and cheap to undo"
]
const CLOSINGS = [
  "This answer comes from the mock model: set OPENAI_API_KEY or OPENAI_BASE_URL for a real one",
  "That is the idea; the mock model, which wrote this, knows no more of it"
]

const COMMON = new Set(
  "a an and are as at be by can do does for from has have how i in is it me my of on or please tell that the their this to was we what when where which who why will with you your about explain write give".split(
    " "
  )
)

/** Numbers in [0, 1), the same for the same text. */
export const numbersOf = (text: string): (() => number) => numbers(seedOf(text))

/** The question's topic: its last two words that are not common ones. */
export const topicOf = (question: string): string => {
  const words = question.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
  const telling = words.filter((word) => !COMMON.has(word.toLowerCase()))
  return telling.slice(-2).join(" ").slice(0, 60) || "this"
}

const WORD = /\s*[\p{L}\p{N}'-]+|\s*[^\s\p{L}\p{N}]|\s+/gu

/** Short sentences, longest first. Those of two and three tokens let an answer of any length end with a full stop. */
const SHORT = [
  "Begin with the part that you can test by yourself",
  "If in doubt, ask again with one example more",
  "What is left is a matter of taste",
  "Keep what works, and drop the rest",
  "The rest follows from there on",
  "Start small, then measure",
  "It is worth a try",
  "That is the idea",
  "That is it",
  "So far",
  "Indeed"
]

/** A text in tokens: see {@link answer}. */
export const piecesOf = (text: string): ReadonlyArray<string> => text.match(WORD) ?? []

/**
 * An answer of `count` tokens that ends with a whole sentence. A token is a word with the space before it, a punctuation mark, or a line
 * end. Sentences repeat only after hundreds of tokens.
 */
export function* answer(question: string, count: number): Generator<string> {
  const random = numbers(seedOf(question))
  const topic = topicOf(question)
  const pick = (from: ReadonlyArray<string>) => from[Math.floor(random() * from.length)] ?? ""
  let left = count
  for (let sentence = 0; left > 0; sentence++) {
    const source = sentence === 0 ? OPENINGS : sentence % 9 === 8 ? CLOSINGS : SENTENCES
    const text = pick(source).replaceAll("TOPIC", sentence === 0 ? topic.replace(/^./u, (c) => c.toUpperCase()) : topic)
    const gap = sentence === 0 ? "" : sentence % 4 === 0 ? "\n\n" : " "
    const tokens = piecesOf(`${gap}${text}.`)
    const fits = left === tokens.length || left > tokens.length + 1
    const next = fits ? tokens : closing(left)
    yield* sentence === 0 && !fits ? next.map((token, index) => (index === 0 ? token.trimStart() : token)) : next
    left -= next.length
  }
}

/** A short sentence of at most `left` tokens, but not of `left - 1`: the one remaining token could not be a sentence. */
const closing = (left: number): ReadonlyArray<string> =>
  SHORT.map((text) => piecesOf(` ${text}.`)).find(({ length }) => length === left || length < left - 1) ?? ["Yes."]
