/** Most edits that a slip of the hand takes: one in a short word, two in a longer one. */
const slips = ({ length }: string): number => (length < 5 ? 1 : 2)

/** The known name that is meant, where one differs by a slip: letters left out, added, changed or swapped; case and separators count nothing. */
export const closest = (name: string, known: Iterable<string>): string | undefined => {
  const plain = plainly(name)
  let best: string | undefined
  let least = slips(plain) + 1
  for (const each of known) {
    const edits = distance(plain, plainly(each), least)
    if (edits < least) [best, least] = [each, edits]
  }
  return best
}

const plainly = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/gu, "")

/** Edits from one text to the other (optimal string alignment); `limit` if there are as many or more. */
const distance = (one: string, other: string, limit: number): number => {
  if (Math.abs(one.length - other.length) >= limit) return limit
  let before: ReadonlyArray<number> = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1]
      const edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row.push(swapped ? Math.min(edits, at(before, j - 2) + 1) : edits)
    }
    before = last
    last = row
  }
  return Math.min(limit, at(last, other.length))
}

const at = (row: ReadonlyArray<number>, index: number): number => row[index] ?? 0
