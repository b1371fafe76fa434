import type { JsonObject } from "@llm-saas/domain/Json"
import type { Usage } from "@llm-saas/domain/Usage"

/**
 * Token counts in the words of Responses. OpenAI's SDKs declare the details as always there, and programs read them without a look: a detail
 * that the provider did not name is 0 here, unlike in our own account.
 */
export const responsesUsageOf = ({ details, input, output }: Usage): JsonObject => ({
  input_tokens: input,
  input_tokens_details: {
    cached_tokens: details?.cacheRead ?? 0,
    cache_write_tokens: (details?.cacheWrite ?? 0) + (details?.cacheWrite1h ?? 0)
  },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: details?.reasoning ?? 0 },
  total_tokens: input + output
})
