import type { Source } from "@llm-saas/domain/ModelRequest"

/** `data:image/png;base64,…` as bytes with their type; any other URL as it is. */
export const sourceOf = (url: string): Source => {
  // The end of the header is near: a megabyte of data is not searched.
  const comma = url.slice(0, 300).indexOf(",")
  const header = comma === -1 ? null : /^data:([^;,]+);base64$/iu.exec(url.slice(0, comma))
  const mediaType = header?.[1]
  return mediaType === undefined ? { kind: "url", url } : { kind: "data", mediaType, data: url.slice(comma + 1) }
}

/** The URL of bytes or of an address. */
export const urlOf = (source: Exclude<Source, { readonly kind: "id" }>): string =>
  source.kind === "url" ? source.url : `data:${source.mediaType};base64,${source.data}`
