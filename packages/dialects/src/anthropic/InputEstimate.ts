import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { isList } from "../RequestFields.ts"

/** UTF-8 bytes of a token: fewer than of English prose, so that estimates are rather too high than too low. */
const BYTES_PER_TOKEN = 3.5
/** The largest image: others are scaled down to it. https://platform.claude.com/docs/en/build-with-claude/vision */
const IMAGE_TOKENS = 1600
/** A page of a PDF file, its text and its picture; and how many bytes of a file are one. A file that is not sent with it counts as one page. */
const PAGE_TOKENS = 2500
const PAGE_BYTES = 50_000
/** What a message, a block or a tool needs beside its texts. */
const FRAME_TOKENS = 4

/** Members of a body that a model reads. */
const READ = ["system", "messages", "tools"] as const
/** Members whose values are no text for the model, or a single token of it. */
const UNREAD: ReadonlySet<string> = new Set([
  "type",
  "role",
  "id",
  "tool_use_id",
  "signature",
  "cache_control",
  "citations"
])
/** Members whose names are part of the frame. */
const FRAME: ReadonlySet<string> = new Set(["text", "content", "input", "thinking", "source", "input_schema"])

/**
 * About how many tokens the input of a request's body has, for upstreams that do not count. It takes time in proportion to the body's
 * size and knows no tokenizer: those need up to a second for 20,000 times the same letter. Zero only for a body without messages.
 */
export const estimatedTokens = (body: JsonObject): number => {
  let bytes = 0
  let tokens = 0
  // Not by recursion: a body may be nested more deeply than the stack is.
  const open: Array<Json | undefined> = READ.map((name) => body[name])
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value === "string") bytes += utf8Length(value)
    else if (typeof value === "number" || typeof value === "boolean") bytes += 4
    else if (isList(value)) for (const each of value) open.push(each)
    else if (isJsonObject(value)) {
      const media = mediaTokens(value)
      tokens += FRAME_TOKENS + (media ?? 0)
      if (media !== undefined) continue
      for (const name of Object.keys(value)) {
        if (UNREAD.has(name)) continue
        if (!FRAME.has(name)) bytes += name.length
        open.push(value[name])
      }
    }
  }
  return tokens + Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** Tokens of an image, or of a document that is a file; undefined for anything else. */
const mediaTokens = ({ source, type }: JsonObject): number | undefined => {
  if (!isJsonObject(source)) return undefined
  if (type === "image") return IMAGE_TOKENS
  if (type !== "document") return undefined
  const { data, type: kind } = source
  if (kind === "base64" && typeof data === "string")
    return PAGE_TOKENS * Math.max(1, Math.ceil((data.length * 3) / 4 / PAGE_BYTES))
  return kind === "url" || kind === "file" ? PAGE_TOKENS : undefined
}

/** Tokens of a text that a model wrote, where the provider did not count them. */
export const estimatedOutput = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN)

/** The length of a text in UTF-8, without encoding it. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // Each half of a surrogate pair is two of the four bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}
