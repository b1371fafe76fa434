import type { ApiKey, ChangeKey, CreateKey, Scope } from "@llm-saas/client"
import { lines } from "../../ui/lines.ts"
import * as Allowance from "../limits/allowance.ts"

/** A key as it is typed. */
export interface KeyDraft {
  readonly name: string
  /** `me`, or the id of a service account. */
  readonly owner: string
  readonly scopes: ReadonlyArray<Scope>
  /** Names, one a line; empty: all models. */
  readonly models: string
  /** A time of the reader's clock as `<input type="datetime-local">` has it; empty: never. */
  readonly expires: string
  /** The key's `metadata`: `name = text`, one a line. */
  readonly notes: string
  readonly allowance: Allowance.AllowanceDraft
}

/** What each scope lets a key do (docs/keys.md). */
export const SCOPES: ReadonlyArray<readonly [Scope, string]> = [
  ["chat", "Ask models, and read, resume and stop the answers"],
  ["embeddings", "Make embeddings"],
  ["messages:read", "Read messages, conversations and answers"],
  ["messages:write", "Change and delete conversations and messages, rate answers"],
  ["usage:read", "Read reports of usage and cost"],
  ["keys:write", "Make, change and delete keys that may no more than this one"],
  ["admin", "Do everything that admins may: also make other admins"]
]

/** A new key: it may ask, and no more. */
export const NEW_KEY: KeyDraft = {
  name: "",
  owner: "me",
  scopes: ["chat"],
  models: "",
  expires: "",
  notes: "",
  allowance: Allowance.UNLIMITED
}

export const draftOf = (key: ApiKey): KeyDraft => ({
  name: key.name,
  owner: key.owner.id,
  scopes: key.scopes,
  models: key.models?.join("\n") ?? "",
  expires: key.expires_at === null ? "" : localOf(key.expires_at),
  notes: Object.entries(key.metadata)
    .map(([name, text]) => `${name} = ${text}`)
    .join("\n"),
  allowance: Allowance.draftOf(key)
})

/** What makes the key. */
export const createOf = (draft: KeyDraft): CreateKey => {
  const metadata = metadataOf(draft.notes)
  return {
    name: draft.name.trim(),
    scopes: draft.scopes,
    ...(draft.owner === "me" ? {} : { owner: draft.owner }),
    ...(draft.models.trim() === "" ? {} : { models: lines(draft.models) }),
    ...(draft.expires === "" ? {} : { expires_at: instantOf(draft.expires) }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...Allowance.changeOf(Allowance.UNLIMITED, draft.allowance)
  }
}

/** What changes the key into what was typed: only what differs, since not all who may change a key may change all of it. */
export const changeOf = (key: ApiKey, draft: KeyDraft): ChangeKey => {
  const before = draftOf(key)
  return {
    ...(before.name === draft.name.trim() ? {} : { name: draft.name.trim() }),
    ...(isSame(before.scopes.toSorted(), draft.scopes.toSorted()) ? {} : { scopes: draft.scopes }),
    ...(isSame(lines(before.models), lines(draft.models))
      ? {}
      : { models: draft.models.trim() === "" ? null : lines(draft.models) }),
    ...(before.expires === draft.expires ? {} : { expires_at: draft.expires === "" ? null : instantOf(draft.expires) }),
    ...(isSame(metadataOf(before.notes), metadataOf(draft.notes)) ? {} : { metadata: metadataOf(draft.notes) }),
    ...Allowance.changeOf(before.allowance, draft.allowance)
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** A line without `=` is a name without a text: the server says what is wrong with it. */
const metadataOf = (notes: string): Record<string, string> =>
  Object.fromEntries(
    lines(notes).map((line) => {
      const at = line.indexOf("=")
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    })
  )

const two = (part: number): string => String(part).padStart(2, "0")

/** A moment (ISO 8601) on the reader's clock, to the minute. */
const localOf = (instant: string): string => {
  const at = new Date(instant)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

const instantOf = (local: string): string => new Date(local).toISOString()
