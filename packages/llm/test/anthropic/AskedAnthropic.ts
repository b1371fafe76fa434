import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { entryOf } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { type AnthropicOptions, make } from "@llm-saas/llm/anthropic/Anthropic"
import type { Call, Target } from "@llm-saas/llm/Provider"
import { FakeUpstream, layer, type UpstreamCall } from "@llm-saas/testing/FakeUpstream"
import { Effect, Fiber, Redacted, Result } from "effect"

// Anthropic's provider, asked over real sockets; the test is the upstream.

export const KEY = "sk-ant-very-secret"

export const TARGET: Target = {
  model: "claude-sonnet-5",
  maxOutputTokens: undefined,
  temperature: undefined,
  connectMs: 10_000,
  firstTokenMs: 60_000,
  silenceMs: 30_000
}

export const QUESTION: ModelRequest = {
  model: "an-alias",
  stream: true,
  input: [{ type: "message", role: "user", parts: [{ type: "text", text: "What is a room? 🏠" }] }]
}

/** A request of a client of the same dialect. */
export const own = (body: Record<string, unknown> = {}, headers: Record<string, string> = {}): ModelRequest => {
  const whole = {
    model: "an-alias",
    max_tokens: 50,
    stream: true,
    messages: [{ role: "user", content: "Hi" }],
    ...body
  }
  return {
    ...QUESTION,
    stream: whole.stream,
    origin: { dialect: "anthropic", body: JSON.parse(JSON.stringify(whole)), headers }
  }
}

export const frame = (event: object): string =>
  `event: ${"type" in event ? String(event.type) : ""}\ndata: ${JSON.stringify(event)}\n\n`

export const START = frame({
  type: "message_start",
  message: {
    id: "msg_up",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-20260901",
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 }
  }
})
export const say = (text: string): string =>
  frame({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })
export const BLOCK = frame({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } })
export const stop = (reason = "end_turn"): string =>
  frame({ type: "content_block_stop", index: 0 })
  + frame({ type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 5 } })
  + frame({ type: "message_stop" })

export const next = Effect.flatMap(FakeUpstream, (upstream) => upstream.next)

/** What the upstream was sent. */
export const bodyOf = (call: UpstreamCall): Record<string, unknown> => JSON.parse(call.body)

interface Options {
  readonly options?: Partial<AnthropicOptions>
  readonly target?: Partial<Target>
}

/** A running question. */
export const ask = Effect.fnUntraced(function* (request: ModelRequest = QUESTION, { options, target }: Options = {}) {
  const { url } = yield* FakeUpstream
  const provider = yield* make({
    name: "anthropic",
    baseUrl: url,
    apiVersion: undefined,
    headers: {},
    proxies: undefined,
    ...options
  })
  const pieces: Array<ModelPiece> = []
  const attempts: Array<ReturnType<Call["attempt"]>> = []
  let begun = 0
  const call: Call = {
    key: Redacted.make(KEY),
    moment: () => 1000,
    begun: Effect.sync(() => void begun++),
    attempt: () => {
      const record: ReturnType<Call["attempt"]> = {
        provider: "anthropic",
        model: "claude",
        keySource: "installation",
        startedAt: 1
      }
      attempts.push(record)
      return record
    }
  }
  const fiber = yield* Effect.forkChild(
    provider.generate(
      { ...TARGET, ...target },
      request,
      (piece) => {
        // As the engine does.
        if (typeof piece !== "string") entryOf(piece)
        pieces.push(piece)
      },
      call
    ),
    { startImmediately: true }
  )
  return {
    provider,
    call,
    pieces,
    attempts,
    begun: () => begun,
    result: Effect.result(Fiber.join(fiber)),
    stop: Fiber.interrupt(fiber)
  }
})

/** The end of a question that the upstream answers so. */
export const answered = (answer: (call: UpstreamCall) => void, request?: ModelRequest, options?: Options) =>
  Effect.gen(function* () {
    const asking = yield* ask(request, options)
    const call = yield* next
    answer(call)
    const result = yield* asking.result
    return { ...asking, result, sent: call }
  }).pipe(Effect.scoped, Effect.provide(layer, { local: true }))

/** Why there was no whole answer: the reason, whether it may be repeated, and what is said of it. */
export const failedWith = (answer: (call: UpstreamCall) => void, request?: ModelRequest) =>
  Effect.map(answered(answer, request), ({ result }) =>
    Result.isFailure(result) ? [result.failure.reason, result.failure.retryable, result.failure.waitMs] : ["completed"]
  )
