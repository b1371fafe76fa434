import type { IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import * as zlib from "node:zlib"

/** A response's decompressed bytes; undefined if its encoding is unknown. */
export const decoded = (response: IncomingMessage): Readable | undefined => {
  const names = (response.headers["content-encoding"] ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity")
  if (names.length === 0) return response
  // No provider compresses twice.
  const [name = ""] = names
  const decoder = names.length === 1 ? DECODERS[name]?.() : undefined
  if (decoder === undefined) return undefined
  response.on("error", () => {
    if (!decoder.writableEnded) decoder.end()
  })
  return response.pipe(decoder)
}

// The bytes before a cut are still decoded; ChatStream sees whether the answer is whole.
const DEFLATE = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }
const BROTLI = {
  flush: zlib.constants.BROTLI_OPERATION_FLUSH,
  finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH
}
const ZSTD = { flush: zlib.constants.ZSTD_e_flush, finishFlush: zlib.constants.ZSTD_e_flush }

const DECODERS: Readonly<Record<string, () => zlib.Unzip | zlib.BrotliDecompress | zlib.ZstdDecompress>> = {
  gzip: () => zlib.createUnzip(DEFLATE),
  "x-gzip": () => zlib.createUnzip(DEFLATE),
  deflate: () => zlib.createUnzip(DEFLATE),
  br: () => zlib.createBrotliDecompress(BROTLI),
  zstd: () => zlib.createZstdDecompress(ZSTD)
}
