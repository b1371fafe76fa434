import type { Attachment } from "@llm-saas/client"
import { bytes } from "../ui/format.ts"

/** A file beside a question. */
export interface Attached {
  readonly id: string
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
  readonly attachment: Attachment
}

/** The server takes 50 of them in one question. */
export const MOST_FILES = 50
/** Bytes of all files of a question: in base64 they are a third more, and a body has at most 32 MiB unless the server is told otherwise. */
export const MOST_BYTES = 24_000_000

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"]
/** Kinds of files by their names, where the browser does not know them or says more than models understand. */
const TEXTS =
  /\.(?:txt|text|md|markdown|csv|tsv|log|json|jsonl|ya?ml|toml|ini|xml|html?|css|sql|sh|js|jsx|ts|tsx|mjs|cjs|py|rb|rs|go|java|kt|swift|c|h|cc|cpp|hpp|cs|php|lua|r|tex)$/iu

/** What a file picker offers. */
export const ACCEPTED = [...PICTURES, "application/pdf", "text/*", ".md", ".csv", ".json", ".yaml", ".yml"].join(",")

/** The media type that a file is sent with; undefined: it is nothing that a model reads. */
export const mediaTypeOf = ({ name, type }: { readonly name: string; readonly type: string }): string | undefined => {
  if (PICTURES.includes(type) || type === "application/pdf") return type
  if (/\.pdf$/iu.test(name)) return "application/pdf"
  return type.startsWith("text/") || TEXTS.test(name) ? "text/plain" : undefined
}

/** Why a file cannot be added to others; undefined: it can. */
export const refusalOf = (
  file: { readonly name: string; readonly type: string; readonly size: number },
  others: ReadonlyArray<Attached>
): string | undefined => {
  if (mediaTypeOf(file) === undefined)
    return `${file.name}: only images (PNG, JPEG, GIF, WebP), PDF and text can be sent.`
  if (file.size === 0) return `${file.name} is empty.`
  if (others.length >= MOST_FILES) return `At most ${MOST_FILES} files can be sent with one question.`
  const total = others.reduce((sum, each) => sum + each.bytes, file.size)
  return total > MOST_BYTES
    ? `${file.name} (${bytes(file.size)}): the files of one question may have ${bytes(MOST_BYTES)} together.`
    : undefined
}

/** Reads a file for sending. */
export const attach = async (file: File): Promise<Attached> => {
  const mediaType = mediaTypeOf(file) ?? "text/plain"
  const name = nameOf(file.name)
  return {
    id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
    name,
    mediaType,
    bytes: file.size,
    attachment: { media_type: mediaType, data: await base64(file), name }
  }
}

/** One line of at most 200 characters, as the server wants names. */
const nameOf = (name: string): string => {
  const line = name.replace(/\p{Cc}/gu, " ").trim()
  return line === "" ? "file" : [...line].slice(-200).join("").trim()
}

const base64 = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener("load", () => {
      const url = typeof reader.result === "string" ? reader.result : ""
      resolve(url.slice(url.indexOf(",") + 1))
    })
    reader.addEventListener("error", () => reject(reader.error ?? new Error("the file could not be read")))
    reader.readAsDataURL(file)
  })

/** Whether the browser can show it. */
export const isPicture = ({ mediaType }: Attached): boolean => PICTURES.includes(mediaType)

/** An address of this page alone under which a file can be shown. The caller revokes it. */
export const previewOf = ({ attachment, mediaType }: Attached): string => {
  const raw = atob(attachment.data ?? "")
  return URL.createObjectURL(new Blob([Uint8Array.from(raw, (each) => each.charCodeAt(0))], { type: mediaType }))
}
