import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { Part, Source } from "@llm-saas/domain/ModelRequest"
import { sourceOf, urlOf } from "../DataUrl.ts"
import { isList, type Mistakes, RequestFields } from "../RequestFields.ts"

const foreign = (value: Json): Part => ({ type: "foreign", dialect: "responses", value })

/** The parts of `content` or `output`: a text, or a list of parts. Part types that are not known are `foreign`. */
export const partsOf = (item: RequestFields, name: string): ReadonlyArray<Part> => {
  const content = item.value(name)
  if (content === undefined) return []
  if (typeof content === "string") return [{ type: "text", text: content }]
  const path = item.path(name)
  if (!isList(content)) {
    item.mistakes.add(path, `\`${path}\` must be a string or a list of parts.`)
    return []
  }
  return content.map((part, index) => partOf(part, item.mistakes, `${path}.${index}`))
}

const partOf = (value: Json, mistakes: Mistakes, path: string): Part => {
  if (!isJsonObject(value)) {
    mistakes.add(path, `\`${path}\` must be an object.`)
    return foreign(value)
  }
  const part = new RequestFields(value, mistakes, path)
  switch (part.needed("type")) {
    case "input_text":
    case "output_text":
    case "summary_text":
    case "reasoning_text":
    // What Chat Completions calls it. Some clients mix the two.
    case "text":
      return { type: "text", text: part.needed("text") }
    case "refusal":
      return { type: "refusal", text: part.needed("refusal") }
    case "input_image":
      return imageOf(part)
    case "input_audio": {
      const audio = part.fields("input_audio") ?? part
      return { type: "audio", data: audio.needed("data"), format: audio.needed("format") }
    }
    case "input_file":
      return fileOf(part)
    default:
      return foreign(value)
  }
}

const imageOf = (part: RequestFields): Part => {
  const url = part.text("image_url")
  const id = part.text("file_id")
  const detail = part.text("detail")
  const source: Source | undefined =
    url === undefined ? (id === undefined ? undefined : { kind: "id", id }) : sourceOf(url)
  if (source === undefined) return missing(part, "image_url")
  return { type: "image", source, ...(detail === undefined ? {} : { detail }) }
}

const fileOf = (part: RequestFields): Part => {
  const name = part.text("filename")
  const source = fileSource(part, name)
  if (source === undefined) return missing(part, "file_data")
  return { type: "file", source, ...(name === undefined ? {} : { name }) }
}

const fileSource = (part: RequestFields, name: string | undefined): Source | undefined => {
  const data = part.text("file_data")
  const id = part.text("file_id")
  const url = part.text("file_url")
  if (data !== undefined) {
    const source = sourceOf(data)
    // Base64 without a header says nothing of its type. PDF is what models read most.
    return source.kind === "data"
      ? source
      : { kind: "data", mediaType: name === undefined || /\.pdf$/iu.test(name) ? PDF : OCTETS, data }
  }
  if (id !== undefined) return { kind: "id", id }
  return url === undefined ? undefined : sourceOf(url)
}

const PDF = "application/pdf"
const OCTETS = "application/octet-stream"

const missing = (part: RequestFields, name: string): Part => {
  part.mistakes.add(part.path(name), `\`${part.path(name)}\` is missing.`)
  return foreign(part.object)
}

/** A part in the words of Responses; undefined where it has none. `role`: whose message it is in. */
export const responsesPartOf = (part: Part, role: "user" | "assistant"): JsonObject | undefined => {
  switch (part.type) {
    case "text":
      return role === "assistant"
        ? { type: "output_text", text: part.text, annotations: [] }
        : { type: "input_text", text: part.text }
    case "refusal":
      return role === "assistant" ? { type: "refusal", refusal: part.text } : { type: "input_text", text: part.text }
    case "image":
      return {
        type: "input_image",
        detail: part.detail ?? "auto",
        ...(part.source.kind === "id" ? { file_id: part.source.id } : { image_url: urlOf(part.source) })
      }
    case "audio":
      return { type: "input_audio", input_audio: { data: part.data, format: part.format } }
    case "file":
      return { type: "input_file", ...responsesFile(part.source, part.name) }
    case "foreign":
      return part.dialect === "responses" && isJsonObject(part.value) ? part.value : undefined
  }
}

const responsesFile = (source: Source, name: string | undefined): JsonObject => {
  if (source.kind === "id") return { file_id: source.id }
  // A name is needed beside data.
  if (source.kind === "data") return { filename: name ?? "file", file_data: urlOf(source) }
  return { file_url: source.url }
}
