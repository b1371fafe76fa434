import { approximateTokens } from "@llm-saas/domain/Message"
import type { ModelRequest, Part } from "@llm-saas/domain/ModelRequest"
import type { Estimate } from "@llm-saas/engine/generations/Llm"
import type { Target } from "./Provider.ts"

/** Tokens of an answer where neither the request nor the configuration limits it. */
const UNLIMITED = 4096

/** Tokens that an image, a file or a sound may be. Its bytes say little about it. */
const MEDIUM = 2000

/** Around each item: its role, and what separates it. */
const AROUND = 4

/**
 * Tokens of a request before it is answered, of its bytes: a tokenizer would stop the event loop for hundreds of milliseconds on a hostile
 * text. No usual text has more than one token for two bytes.
 */
export const estimateOf = (request: ModelRequest, target: Target, maxOutput: number | undefined): Estimate => {
  let likely = 0
  let most = 0
  const add = (text: string) => {
    const quarter = approximateTokens(text)
    likely += quarter
    most += 2 * quarter
  }
  const addPart = (part: Part) => {
    if (part.type === "text" || part.type === "refusal") return add(part.text)
    if (part.type === "foreign") return add(JSON.stringify(part.value))
    likely += MEDIUM / 2
    most += MEDIUM
  }
  for (const item of request.input) {
    most += AROUND
    if (item.type === "message" || item.type === "tool_result") item.parts.forEach(addPart)
    else add(item.type === "tool_call" ? item.name + item.arguments : item.text + (item.encrypted ?? ""))
  }
  if (request.tools !== undefined) add(JSON.stringify(request.tools))
  if (request.format !== undefined) add(JSON.stringify(request.format))
  return { input: likely, inputAtMost: most, outputAtMost: outputAtMost(request, target, maxOutput) }
}

const outputAtMost = ({ maxTokens, origin, sampling }: ModelRequest, target: Target, maxOutput: number | undefined) => {
  const asked = maxTokens ?? (origin === undefined ? target.defaultMaxTokens : undefined)
  const most = target.maxOutputTokens ?? maxOutput
  const each = asked === undefined ? (most ?? UNLIMITED) : Math.min(asked, most ?? asked)
  return each * (sampling?.choices ?? 1)
}
