/**
 * What of a request is left out, or changed in its meaning, where it is translated into this dialect. docs/compatibility.md has a row for
 * each.
 */
export const DROPPED = [
  "audio",
  "file ids",
  "files of other types",
  "image detail",
  "names of participants",
  "unsigned thoughts",
  "parts of another dialect",
  "tools of another dialect",
  "tool choice of another dialect",
  "grammar of custom tools",
  "seed",
  "frequency_penalty",
  "presence_penalty",
  "logprobs",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "reasoning",
  "schema name",
  "JSON mode",
  "place of system messages"
] as const
export type Dropped = (typeof DROPPED)[number]

/** What was dropped from one request. */
export type Drops = Set<Dropped>
