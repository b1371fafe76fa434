import { change } from "./change.ts"

/** What a number is compared with, in words: `+12 % from $1.20`. `text` is the earlier number with its unit. */
export const compared = (now: number | null, before: number | null, text: string): string => {
  const by = change(now, before)
  if (by !== undefined) return now === before ? "As before" : `${by} from ${text}`
  return before === null || before === 0 ? "Nothing before" : `${text} before`
}
