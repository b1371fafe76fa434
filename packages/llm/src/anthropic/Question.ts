import type { ReaderOptions } from "@llm-saas/dialects/anthropic/MessageReader"
import { forwardedBody, messagesBody } from "@llm-saas/dialects/anthropic/MessagesBody"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { type ProviderError, says } from "../ProviderError.ts"
import type { Target } from "../Provider.ts"

/** Most tokens of an answer where neither the request nor the target says any: this dialect needs a number, and every model takes this one. */
const DEFAULT_MAX_TOKENS = 4096

/** A request as it is sent to a target, and how its answer is read. */
export interface Question {
  readonly body: JsonObject
  /** Parameters that were put into the body by a translation: it may be sent again without one that is refused. */
  readonly ours: ReadonlyArray<Parameter>
  readonly reading: ReaderOptions
  /** Whether the answer comes in one piece. */
  readonly whole: boolean
  readonly dropped: ReadonlyArray<string>
}

/** Parameters that some models refuse, in the order in which they are left out. */
const PARAMETERS = ["temperature", "top_p", "top_k", "effort", "thinking"] as const
export type Parameter = (typeof PARAMETERS)[number]

/** How errors name them. */
const NAMES: Readonly<Record<Parameter, RegExp>> = {
  temperature: /temperature/giu,
  top_p: /top[_ ]?p\b/giu,
  top_k: /top[_ ]?k\b/giu,
  effort: /effort/giu,
  thinking: /thinking/giu
}

/**
 * A client's own body goes to this provider as it is, but for the model and the limit. Every other request is put into the dialect, and is
 * always streamed. `refused`: what the model is known to refuse.
 */
export const questionOf = (request: ModelRequest, target: Target, refused: ReadonlySet<Parameter>): Question => {
  const { maxOutputTokens, model } = target
  const options = {
    model,
    maxOutputTokens,
    defaultMaxTokens: target.defaultMaxTokens ?? maxOutputTokens ?? DEFAULT_MAX_TOKENS
  }
  if (request.origin?.dialect === "anthropic")
    return {
      body: forwardedBody(request.origin.body, options),
      ours: [],
      reading: { mode: "raw" },
      whole: !request.stream,
      dropped: []
    }
  const warm =
    request.origin === undefined && request.sampling?.temperature === undefined ? target.temperature : undefined
  const asked: ModelRequest = {
    ...request,
    stream: true,
    ...(warm === undefined ? {} : { sampling: { ...request.sampling, temperature: warm } })
  }
  const { body, dropped } = messagesBody(asked, options)
  const custom = request.tools?.flatMap((tool) => (tool.type === "custom" ? [tool.name] : [])) ?? []
  const sent = without(body, refused)
  return {
    body: sent,
    ours: PARAMETERS.filter((name) => has(sent, name)),
    reading: { mode: "canonical", customTools: new Set(custom) },
    whole: false,
    dropped: [...dropped, ...PARAMETERS.filter((name) => refused.has(name) && has(body, name))]
  }
}

/** The effort is in `output_config`, beside the format of the answer. */
const has = (body: JsonObject, name: Parameter): boolean => {
  const { output_config: config } = body
  return name === "effort" ? isJsonObject(config) && config["effort"] !== undefined : body[name] !== undefined
}

const without = (body: JsonObject, refused: ReadonlySet<string>): JsonObject => {
  const kept = Object.fromEntries(Object.entries(body).filter(([name]) => !refused.has(name)))
  const { output_config: config } = kept
  if (!refused.has("effort") || !isJsonObject(config)) return kept
  return { ...kept, output_config: config["format"] === undefined ? undefined : { format: config["format"] } }
}

/** A parameter to leave out, and whether all questions to the model are sent without it once that worked. */
export interface Refused {
  readonly parameter: Parameter
  readonly lasting: boolean
}

/** That the model does not take a parameter, and not that its value is wrong, which the client must know. */
const UNSUPPORTED =
  /deprecated|(?:not|n't) support|unsupported|extra inputs are not permitted|un(?:known|recognized) (?:field|parameter)|not (?:available|allowed)/giu
/** That the turns so far do not fit with thinking: those that another model answered have no thoughts. */
const UNFIT = /expected.{0,20}thinking|thinking.{0,60}(?:block|turn)/giu

/**
 * The parameter of ours that an error refuses. It is lasting only in the provider's own words: what stands in the question too may be a
 * quote, and one question must not decide how others are sent.
 */
export const refusedIn = (
  error: ProviderError,
  ours: ReadonlyArray<Parameter>,
  texts: ReadonlyArray<string>
): Refused | undefined => {
  const parameter = ours.find((name) => says(error, NAMES[name], []))
  if (parameter === undefined) return undefined
  if (parameter === "thinking" && says(error, UNFIT, [])) return { parameter, lasting: false }
  if (!says(error, UNSUPPORTED, [])) return undefined
  return { parameter, lasting: says(error, NAMES[parameter], texts) && says(error, UNSUPPORTED, texts) }
}
