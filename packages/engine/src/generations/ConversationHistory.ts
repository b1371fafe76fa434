import { approximateTokens, ToolCall } from "@llm-saas/domain/Message"
import type { InputItem, ModelRequest, Part, Tool } from "@llm-saas/domain/ModelRequest"
import { keptQuestion, textItem, toolsOf, userItems } from "@llm-saas/domain/QuestionRequest"
import { Option, Result, Schema } from "effect"

/** One turn of a conversation. */
export interface Turn {
  readonly role: "user" | "assistant"
  readonly content: string
}

/** An earlier question of the conversation and its answer. */
export interface AnsweredQuestion {
  readonly content: string
  readonly response: string
  /** The question as it was kept, JSON, where it is more than its text. */
  readonly request?: string | null
  /** The tools that the answer calls, JSON. */
  readonly tool_calls?: string | null
}

/** What a conversation adds to a question. */
export interface Before {
  readonly history: ReadonlyArray<AnsweredQuestion>
  /** Its instructions. */
  readonly system: string | null
}

/**
 * The prompt: the question, and before it as many of the latest messages as fit into `budget` tokens. Exchanges are not split, so no
 * answer stands without its question. Sizes are estimated by {@link approximateTokens}; the question itself is always included.
 */
export const promptOf = (
  history: ReadonlyArray<AnsweredQuestion>,
  question: string,
  budget: number
): ReadonlyArray<Turn> => {
  const turns: Array<Turn> = [{ role: "user", content: question }]
  let left = budget
  for (const { content, response } of history.toReversed()) {
    if (isBlank(content) || isBlank(response)) continue
    left -= approximateTokens(content) + approximateTokens(response)
    if (left < 0) break
    turns.unshift({ role: "user", content }, { role: "assistant", content: response })
  }
  return turns
}

/** About as many tokens as a conversation adds to a question. */
export const tokensBefore = ({ history, system }: Before, budget: number): number => {
  const texts = history.reduce(
    (sum, { content, response }) => sum + approximateTokens(content) + approximateTokens(response),
    0
  )
  return Math.min(texts, budget) + (system === null ? 0 : approximateTokens(system))
}

/** Whether texts are all that a conversation adds. */
export const isPlain = ({ history, system }: Before): boolean =>
  system === null && history.every(({ request = null, tool_calls = null }) => request === null && tool_calls === null)

/**
 * A request with what its conversation adds: its instructions, unless the request has some, and after them the latest messages that fit
 * into `budget` tokens, the one whose calls it answers in any case. Models refuse a call without its result, and a result without its call: either is left out without the other.
 * Some refuse calls of tools that are not declared: those of the last question that had tools are, and are not called.
 */
export const withHistory = (request: ModelRequest, { history, system }: Before, budget: number): ModelRequest => {
  const first = request.input.findIndex((item) => !isInstruction(item))
  const at = first === -1 ? request.input.length : first
  const instructions = request.input.slice(0, at)
  const own = request.input.slice(at)
  const answers = own.some(({ type }) => type === "tool_result")
  const exchanges = fitting(history.map(exchangeOf), budget, answers ? 1 : 0)
  const earlier = paired(exchanges, own)
  const input = [
    ...(instructions.length === 0 && system !== null ? [textItem("system", system)] : instructions),
    ...earlier,
    ...own
  ]
  if ((request.tools ?? []).length > 0 || !earlier.some(({ type }) => type === "tool_call"))
    return { ...request, input }
  const tools = exchanges.findLast((each) => each.tools.length > 0)?.tools ?? []
  return tools.length === 0 ? { ...request, input } : { ...request, input, tools, toolChoice: { type: "none" } }
}

const isInstruction = (item: InputItem): boolean =>
  item.type === "message" && (item.role === "system" || item.role === "developer")

/** A question with its answer, as items of the input. */
interface Exchange {
  /** What is shown of the question, as a turn. */
  readonly shown: ReadonlyArray<InputItem>
  readonly asked: ReadonlyArray<InputItem>
  readonly answered: ReadonlyArray<InputItem>
  readonly tools: ReadonlyArray<Tool>
}

const decodeCalls = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(ToolCall)))

const exchangeOf = ({ content, request = null, response, tool_calls = null }: AnsweredQuestion): Exchange => {
  const question = request === null ? undefined : keptQuestion(parsed(request))
  const calls = tool_calls === null ? [] : Option.getOrElse(decodeCalls(tool_calls), () => [])
  const shown = textsOf("user", content)
  return {
    shown,
    asked: question === undefined ? shown : userItems(question),
    answered: [...textsOf("assistant", response), ...calls.map((call): InputItem => ({ type: "tool_call", ...call }))],
    tools: question === undefined ? [] : toolsOf(question)
  }
}

const parsed = (text: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

const textsOf = (role: "user" | "assistant", text: string) => (isBlank(text) ? [] : [textItem(role, text)])

/** The latest that fit, and `least` in any case. */
const fitting = (all: ReadonlyArray<Exchange>, budget: number, least: number): ReadonlyArray<Exchange> => {
  const found: Array<Exchange> = []
  let left = budget
  for (const exchange of all.toReversed()) {
    for (const item of [...exchange.asked, ...exchange.answered]) left -= tokensOf(item)
    if (left < 0 && found.length >= least) break
    found.unshift(exchange)
  }
  return found
}

/**
 * Calls with results, and results of calls: a question of results alone is a text where the calls are gone. An exchange of which nothing else is left on one side is left out, but for results: the calls
 * before it stand with them.
 */
const paired = (exchanges: ReadonlyArray<Exchange>, next: ReadonlyArray<InputItem>): ReadonlyArray<InputItem> => {
  const items: Array<InputItem> = []
  let calls: ReadonlySet<string> = new Set()
  for (const [index, { answered, asked, shown }] of exchanges.entries()) {
    const results = idsOf("tool_result", exchanges[index + 1]?.asked ?? next)
    const left = asked.filter((item) => item.type !== "tool_result" || calls.has(item.id))
    const question = left.length === 0 ? shown : left
    const answer = answered.filter((item) => item.type !== "tool_call" || results.has(item.id))
    const kept = question.length > 0 && (answer.length > 0 || question.some(({ type }) => type === "tool_result"))
    if (kept) items.push(...question, ...answer)
    calls = kept ? idsOf("tool_call", answer) : new Set()
  }
  return items
}

const idsOf = (type: "tool_call" | "tool_result", items: ReadonlyArray<InputItem>): ReadonlySet<string> =>
  new Set(items.flatMap((item) => (item.type === type ? [item.id] : [])))

/** An estimate, as {@link approximateTokens}. */
const tokensOf = (item: InputItem): number => {
  switch (item.type) {
    case "message":
    case "tool_result":
      return item.parts.reduce((sum, part) => sum + tokensOfPart(part), 0)
    case "tool_call":
      return approximateTokens(item.name + item.arguments)
    case "reasoning":
      return approximateTokens(item.text)
  }
}

/** What an image takes that we do not see, as OpenAI and Anthropic count a large one. */
const IMAGE_TOKENS = 1500
/** Characters of base64 for one token: a page of a PDF is about 100 kB and 1,500 tokens. */
const DATA_PER_TOKEN = 100

const tokensOfPart = (part: Part): number => {
  switch (part.type) {
    case "text":
    case "refusal":
      return approximateTokens(part.text)
    case "image":
      return IMAGE_TOKENS
    case "file":
      return part.source.kind === "data" ? Math.ceil(part.source.data.length / DATA_PER_TOKEN) : IMAGE_TOKENS
    case "audio":
      return Math.ceil(part.data.length / DATA_PER_TOKEN)
    case "foreign":
      return 0
  }
}

/** Only white space, control and format characters (Unicode categories). */
const isBlank = (text: string): boolean => !/[^\s\p{Cc}\p{Cf}\p{Z}]/u.test(text)
