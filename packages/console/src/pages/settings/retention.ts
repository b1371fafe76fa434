import type { ContentRetention, ContentRetentionChoice } from "@llm-saas/client"

/** What a choice removes for good, in a sentence; undefined: nothing. `days` holds for what is stored too, `none` for answers from now on. */
export const erases = (kept: ContentRetention, choice: ContentRetentionChoice): string | undefined => {
  if (choice.content !== "days")
    return choice.content === "full" || kept.content === "none"
      ? undefined
      : "Questions and answers from now on are removed as soon as they were read. What is stored already stays until it is deleted."
  const before = kept.content === "days" ? kept.days : undefined
  return before !== undefined && before <= choice.days
    ? undefined
    : `Questions and answers that are older than ${choice.days === 1 ? "a day" : `${choice.days} days`} are removed, those that are stored now too.`
}
