import type { Attempt } from "@llm-saas/domain/Attempt"
import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Dialect, ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Completion, Estimate } from "@llm-saas/engine/generations/Llm"
import type { Effect, Redacted } from "effect"
import type { Proxies } from "./Agents.ts"
import type { ProviderFailure } from "./ProviderFailure.ts"

/**
 * A place where models are asked, as a router uses it. It has no memory of failures and repeats nothing: target, retries, fallback,
 * breaker and the time of the whole answer are the router's, see `routes/`.
 */
export interface Provider {
  /** Its name in the configuration: of its targets, attempts and prices. */
  readonly name: string
  /** The wire format of its API. Undefined: it makes canonical pieces of canonical requests, and speaks none. */
  readonly dialect: Dialect | undefined
  /**
   * Why this request cannot be put into the dialect, as a sentence for the client that quotes nothing of the request; undefined if it can.
   * A router then asks another target. Cheap, and without effects.
   */
  readonly refuses?: ((target: Target, request: ModelRequest) => string | undefined) | undefined
  /**
   * One answer. `emit` is called for each piece, never with an empty text, and not after the effect ended. The first piece is final:
   * nothing is asked again after it. So a piece that shows nothing, such as the role in a stream's first chunk, waits for the next one.
   * Interrupting aborts the request. The provider keeps to the time-outs of the target.
   *
   * More than one request is sent only where the upstream refuses a parameter and gets the request again without it.
   */
  readonly generate: (
    target: Target,
    request: ModelRequest,
    emit: (piece: ModelPiece) => void,
    call: Call
  ) => Effect.Effect<Completion, ProviderFailure>
  readonly embed?:
    | ((target: Target, request: EmbeddingRequest, call: Call) => Effect.Effect<EmbeddingAnswer, ProviderFailure>)
    | undefined
  /** Tokens of a request and its answer, where the provider knows before. */
  readonly estimate?: ((target: Target, request: ModelRequest) => Estimate) | undefined
  /** The tokens of the request's input, as the upstream counts them. */
  readonly countTokens?:
    | ((target: Target, request: ModelRequest, call: Call) => Effect.Effect<number, ProviderFailure>)
    | undefined
}

/** What a provider is made of. The same for all of its targets. */
export interface ProviderOptions {
  readonly name: string
  /** With its path: `http://localhost:11434/v1`. Undefined: the provider's own. */
  readonly baseUrl: string | undefined
  /** The classic API of Azure: its version. `anthropic-version` of Anthropic. */
  readonly apiVersion: string | undefined
  /** Whether there is `POST /responses`, where requests of that dialect go as they are. */
  readonly responses?: boolean | undefined
  /** Sent with every request; lower case. They may be secrets. */
  readonly headers: Readonly<Record<string, Redacted.Redacted>>
  /** Forward proxies; undefined: none. */
  readonly proxies: Proxies | undefined
}

/** One model at one provider, as a route names it. One object for as long as a configuration lasts. */
export interface Target {
  /** The upstream's name of the model; Azure's of the deployment. */
  readonly model: string
  /** Most tokens of an answer: a request for more, or for no number, asks for these. Undefined: what the request says. */
  readonly maxOutputTokens: number | undefined
  /** Tokens of an answer to a request that says none and has no `origin`. Undefined: the model's own limit. */
  readonly defaultMaxTokens?: number | undefined
  /** For requests that say none and have no `origin`: those are in the client's words. */
  readonly temperature: number | undefined
  /** Until the connection is open, with TLS. */
  readonly connectMs: number
  /** From there until the first part of the answer. */
  readonly firstTokenMs: number
  /** Between two pieces of the answer. */
  readonly silenceMs: number
}

/** What belongs to one question, beside the request. */
export interface Call {
  /** The key to authenticate with: the tenant's own, or the installation's. Undefined for servers without authentication. */
  readonly key: Redacted.Redacted | undefined
  /**
   * Begins the record of a request to the upstream. A provider calls it for every request, before it is sent, and sets what it learns:
   * `firstAt`, `status`, `upstreamId`, `responseModel`, `usage`; `failure` only where it sends another request itself. The rest, also
   * of a request that is interrupted, is the router's.
   */
  readonly attempt: () => Attempt
  /** Run once the upstream answers, also by something that is not shown: it shows that it works. */
  readonly begun: Effect.Effect<void>
  /** Milliseconds since 1970. */
  readonly moment: () => number
}
