/**
 * Tokens of an answer, as the provider counted them. Each detail is a part of `input` or `output`, as OpenAI counts: input of a cache is
 * input too. A detail that the provider did not name is missing; zero is a count.
 */
export interface Usage {
  /** All input, read from and written to a cache included. */
  readonly input: number
  /** All output, thoughts included. */
  readonly output: number
  readonly details?: UsageDetails | undefined
}

export interface UsageDetails {
  /** Input read from a cache. */
  readonly cacheRead?: number | undefined
  /** Input written to a cache: by Anthropic for five minutes, or where no time is named. */
  readonly cacheWrite?: number | undefined
  /** Input written to a cache for an hour. */
  readonly cacheWrite1h?: number | undefined
  readonly audioInput?: number | undefined
  readonly imageInput?: number | undefined
  /** Output that is thoughts. */
  readonly reasoning?: number | undefined
  readonly audioOutput?: number | undefined
  readonly acceptedPrediction?: number | undefined
  readonly rejectedPrediction?: number | undefined
  /** Web searches, a number of requests. */
  readonly searches?: number | undefined
}
