import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"
import * as Base64 from "effect/encoding/Base64"
import { known } from "./chat/ChatTools.ts"
import { isList, type Mistake, Mistakes, RequestFields } from "./RequestFields.ts"

/** What a body of `POST /v1/embeddings` is. */
export type EmbeddingsDecoded =
  | { readonly type: "request"; readonly request: EmbeddingRequest }
  | { readonly type: "mistake"; readonly mistake: Mistake }

/** Reads a body of OpenAI's embeddings. Members that are not known are no mistake. */
export const decodeEmbeddings = (body: JsonObject): EmbeddingsDecoded => {
  const mistakes = new Mistakes()
  const fields = new RequestFields(body, mistakes)
  const model = fields.needed("model")
  if (model === "") mistakes.add("model", "`model` must name a model.")
  const dimensions = fields.integer("dimensions", 1)
  const format = fields.text("encoding_format")
  if (format !== undefined && format !== "float" && format !== "base64")
    mistakes.add("encoding_format", "`encoding_format` must be `float` or `base64`.")
  const input = inputOf(fields)
  if (mistakes.first !== undefined) return { type: "mistake", mistake: mistakes.first }
  return {
    type: "request",
    request: { model, input, ...(dimensions === undefined ? {} : { dimensions }), origin: { dialect: "chat", body } }
  }
}

const inputOf = (body: RequestFields): EmbeddingRequest["input"] => {
  const input = body.value("input")
  if (input === undefined) {
    body.mistakes.add("input", "`input` is missing.")
    return []
  }
  if (typeof input === "string") return [input]
  if (isTokens(input)) return [input]
  if (isList(input) && input.length > 0) {
    const inputs = input.filter((each) => typeof each === "string" || isTokens(each))
    if (inputs.length === input.length) return inputs
  }
  body.mistakes.add("input", "`input` must be a string, a list of strings, a list of tokens, or a list of these lists.")
  return []
}

const isTokens = (value: Json): value is ReadonlyArray<number> =>
  isList(value) && value.length > 0 && value.every((token) => typeof token === "number" && Number.isInteger(token))

/** The body for a provider: the client's own, or one of the request. */
export const embeddingsBody = ({ dimensions, input, origin }: EmbeddingRequest, model: string): JsonObject =>
  origin?.dialect === "chat" ? { ...origin.body, model } : known({ model, input, dimensions, encoding_format: "float" })

/** What a provider answered; undefined if that is no answer of embeddings. `inputs`: how many vectors there must be. */
export const embeddingsIn = (body: unknown, inputs: number): EmbeddingAnswer | undefined => {
  if (!isJsonObject(body) || !isList(body["data"])) return undefined
  const { data, model, usage } = body
  const vectors = new Map<number, ReadonlyArray<number> | string>()
  for (const [place, item] of data.entries()) {
    if (!isJsonObject(item) || !isVector(item["embedding"])) return undefined
    vectors.set(typeof item["index"] === "number" ? item["index"] : place, item["embedding"])
  }
  const inOrder = Array.from({ length: inputs }, (_, index) => vectors.get(index)).filter((each) => each !== undefined)
  if (inOrder.length !== inputs || data.length !== inputs) return undefined
  const count = isJsonObject(usage) ? (usage["prompt_tokens"] ?? usage["total_tokens"]) : undefined
  return {
    vectors: inOrder,
    usage: typeof count === "number" && Number.isInteger(count) && count >= 0 ? { input: count, output: 0 } : undefined,
    model: typeof model === "string" ? model : undefined,
    raw: body
  }
}

const isVector = (value: Json | undefined): value is ReadonlyArray<number> | string =>
  typeof value === "string" || (isList(value) && value.every((each) => typeof each === "number"))

/** The answer for a client, in the format that it asked for. The provider's own body goes on as it came. */
export const embeddingsAnswer = (request: EmbeddingRequest, answer: EmbeddingAnswer): JsonObject => {
  if (answer.raw !== undefined && request.origin?.dialect === "chat") return answer.raw
  const base64 = request.origin?.body["encoding_format"] === "base64"
  const tokens = answer.usage?.input ?? 0
  return {
    object: "list",
    data: answer.vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? textOf(vector) : numbersOf(vector)
    })),
    model: answer.model ?? request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens }
  }
}

/** 32-bit little-endian floats in base64. */
export const textOf = (vector: ReadonlyArray<number> | string): string => {
  if (typeof vector === "string") return vector
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [index, value] of vector.entries()) bytes.setFloat32(index * 4, value, true)
  return Base64.encode(new Uint8Array(bytes.buffer))
}

/** The same as numbers. Text that is no base64 is an empty vector. */
export const numbersOf = (vector: ReadonlyArray<number> | string): ReadonlyArray<number> => {
  if (typeof vector !== "string") return vector
  const decoded = Result.getOrElse(Base64.decode(vector), () => new Uint8Array())
  const bytes = new DataView(decoded.buffer, decoded.byteOffset, decoded.byteLength)
  return Array.from({ length: Math.floor(decoded.byteLength / 4) }, (_, index) => bytes.getFloat32(index * 4, true))
}
