/**
 * What of a request is left out, or changed in its meaning, where it is translated into this dialect. docs/compatibility.md has a row for
 * each.
 */
export const DROPPED = [
  "image ids",
  "failed results",
  "signatures of thoughts",
  "encrypted thoughts",
  "parts of another dialect",
  "tools of another dialect",
  "tool choice of another dialect",
  "top_k",
  "budget of thoughts",
  "form of thoughts"
] as const
export type Dropped = (typeof DROPPED)[number]

/** What was dropped from one request. */
export type Drops = Set<Dropped>
