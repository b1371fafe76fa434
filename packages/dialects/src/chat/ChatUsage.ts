import type { JsonObject } from "@llm-saas/domain/Json"
import type { Usage } from "@llm-saas/domain/Usage"
import { known } from "./ChatTools.ts"

/** Token counts in the words of Chat Completions. A detail that is not known is not written. */
export const chatUsageOf = ({ details, input, output }: Usage): JsonObject => {
  const written = sum(details?.cacheWrite, details?.cacheWrite1h)
  const prompt = known({
    cached_tokens: details?.cacheRead,
    cache_write_tokens: written,
    audio_tokens: details?.audioInput,
    image_tokens: details?.imageInput
  })
  const completion = known({
    reasoning_tokens: details?.reasoning,
    audio_tokens: details?.audioOutput,
    accepted_prediction_tokens: details?.acceptedPrediction,
    rejected_prediction_tokens: details?.rejectedPrediction
  })
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(isEmpty(prompt) ? {} : { prompt_tokens_details: prompt }),
    ...(isEmpty(completion) ? {} : { completion_tokens_details: completion })
  }
}

const isEmpty = (members: JsonObject) => Object.keys(members).length === 0

const sum = (one: number | undefined, other: number | undefined) =>
  one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0)
