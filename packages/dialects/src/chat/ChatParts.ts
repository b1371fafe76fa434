import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { Part, Source } from "@llm-saas/domain/ModelRequest"
import { sourceOf, urlOf } from "../DataUrl.ts"
import { isList, type Mistakes, RequestFields } from "../RequestFields.ts"

const foreign = (value: Json): Part => ({ type: "foreign", dialect: "chat", value })

/** The content of a message: a text, or a list of parts. Part types that are not known are `foreign`. */
export const partsOf = (message: RequestFields): ReadonlyArray<Part> => {
  const content = message.value("content")
  if (content === undefined) return []
  if (typeof content === "string") return [{ type: "text", text: content }]
  const path = message.path("content")
  // A single part without its list, which some servers take.
  if (isJsonObject(content)) return [partOf(content, message.mistakes, path)]
  if (isList(content)) return content.map((part, index) => partOf(part, message.mistakes, `${path}.${index}`))
  message.mistakes.add(path, `\`${path}\` must be a string or a list of parts.`)
  return []
}

const partOf = (value: Json, mistakes: Mistakes, path: string): Part => {
  if (typeof value === "string") return { type: "text", text: value }
  if (!isJsonObject(value)) {
    mistakes.add(path, `\`${path}\` must be an object.`)
    return foreign(value)
  }
  const part = new RequestFields(value, mistakes, path)
  switch (part.needed("type")) {
    case "text":
      return { type: "text", text: part.needed("text") }
    case "refusal":
      return { type: "refusal", text: part.needed("refusal") }
    case "image_url":
      return imageOf(part)
    case "input_audio": {
      const audio = part.fields("input_audio")
      return audio === undefined
        ? missing(part, "input_audio")
        : { type: "audio", data: audio.needed("data"), format: audio.needed("format") }
    }
    case "file":
      return fileOf(part)
    default:
      return foreign(value)
  }
}

const missing = (part: RequestFields, name: string): Part => {
  part.mistakes.add(part.path(name), `\`${part.path(name)}\` is missing.`)
  return foreign(part.object)
}

const imageOf = (part: RequestFields): Part => {
  // Some clients send the address alone.
  const address = part.value("image_url")
  if (typeof address === "string") return { type: "image", source: sourceOf(address) }
  const image = part.fields("image_url")
  if (image === undefined) return missing(part, "image_url")
  const detail = image.text("detail")
  return { type: "image", source: sourceOf(image.needed("url")), ...(detail === undefined ? {} : { detail }) }
}

const fileOf = (part: RequestFields): Part => {
  const file = part.fields("file")
  if (file === undefined) return missing(part, "file")
  const name = file.text("filename")
  const source = fileSource(file, name)
  return source === undefined ? foreign(part.object) : { type: "file", source, ...(name === undefined ? {} : { name }) }
}

const fileSource = (file: RequestFields, name: string | undefined): Source | undefined => {
  const data = file.text("file_data")
  const id = file.text("file_id")
  const url = file.text("file_url")
  if (data !== undefined) {
    const source = sourceOf(data)
    // Base64 without a header says nothing of its type; Chat Completions takes PDF files only.
    return source.kind === "data" || /^https?:/iu.test(data)
      ? source
      : { kind: "data", mediaType: name === undefined || /\.pdf$/iu.test(name) ? "application/pdf" : OCTETS, data }
  }
  if (id !== undefined) return { kind: "id", id }
  return url === undefined ? undefined : sourceOf(url)
}

const OCTETS = "application/octet-stream"

/** A part in the words of Chat Completions; undefined where it has none. */
export const chatPartOf = (part: Part): JsonObject | undefined => {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text }
    case "refusal":
      return { type: "refusal", refusal: part.text }
    case "image": {
      if (part.source.kind === "id") return undefined
      return {
        type: "image_url",
        image_url: { url: urlOf(part.source), ...(part.detail === undefined ? {} : { detail: part.detail }) }
      }
    }
    case "audio":
      return { type: "input_audio", input_audio: { data: part.data, format: part.format } }
    case "file":
      return { type: "file", file: chatFile(part.source, part.name) }
    case "foreign":
      return part.dialect === "chat" && isJsonObject(part.value) ? part.value : undefined
  }
}

const chatFile = (source: Source, name: string | undefined): JsonObject => {
  if (source.kind === "id") return { file_id: source.id }
  // A name is needed beside data.
  if (source.kind === "data") return { filename: name ?? "file", file_data: urlOf(source) }
  return { ...(name === undefined ? {} : { filename: name }), file_url: source.url }
}
