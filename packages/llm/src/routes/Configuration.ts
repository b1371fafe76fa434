import type { FailureReason } from "@llm-saas/domain/Generation"
import type { PriceList } from "@llm-saas/domain/Price"
import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Redacted } from "effect"
import type { ProviderOptions, Target } from "../Provider.ts"

/** Which providers and models there are. It is made of the environment, or of a file, and never changes: a new file makes a new one. */
export interface Configuration {
  readonly providers: ReadonlyArray<ProviderSettings>
  /** At least one. No two have the same alias. */
  readonly models: ReadonlyArray<Route>
  /** The alias that is asked where a client names none. */
  readonly defaultModel: string
}

export interface ProviderSettings extends ProviderOptions {
  readonly type: "openai" | "azure" | "anthropic" | "mock"
  /** The installation's key. Undefined for servers without authentication. */
  readonly key: Redacted.Redacted | undefined
  readonly keyPolicy: KeyPolicy
  /** Where the operator configured it: for hints in the log. */
  readonly origin: "environment" | "file"
}

/**
 * Whose key a provider is asked with. `prefer_tenant`: the tenant's own where there is one. `tenant_only`: without one the provider is not
 * asked. `installation`: tenants' own are ignored.
 */
export type KeyPolicy = "installation" | "prefer_tenant" | "tenant_only"

/** A model as clients name it, and who answers for it. */
export interface Route {
  readonly alias: string
  readonly kind: "chat" | "embeddings"
  /**
   * `single`: there is one target. `fallback`: the first target, and the next where one fails as `fallbackOn` says. `loadbalance`: as
   * `fallback`, in a random order by the weights.
   */
  readonly strategy: "single" | "fallback" | "loadbalance"
  /** At least one. */
  readonly targets: ReadonlyArray<RouteTarget>
  readonly fallbackOn: FallbackOn
  /** The whole answer, with all retries and targets. */
  readonly answerMs: number
  readonly contextWindow: number | undefined
  readonly maxOutputTokens: number | undefined
  /** Seconds since 1970. */
  readonly createdAt: number | undefined
}

export interface RouteTarget {
  /** The name of one of the configuration's providers. */
  readonly provider: string
  readonly target: Target
  /** Share of the questions that it gets first, of the sum of all weights. 0: it is asked only after others failed. */
  readonly weight: number
  /** Most retries at this target, while nothing of the answer was shown. */
  readonly retries: number
  /** What the operator says it costs. Undefined: what the price book says. */
  readonly price?: PriceList | undefined
  /** Where it is in the price book. Undefined: where the provider's address says. */
  readonly listed?: Pricing["listed"]
}

/** The failures after which the next target is asked. */
export interface FallbackOn {
  readonly statuses: ReadonlySet<number>
  readonly reasons: ReadonlySet<FailureReason>
}

/** Failures that say nothing about the question: another target may well answer it. */
export const FALLBACK_ON: FallbackOn = {
  statuses: new Set(),
  reasons: new Set([
    "model_unauthorized",
    "model_rate_limited",
    "model_unavailable",
    "model_error",
    "model_malformed",
    "model_timeout",
    "model_cut"
  ])
}
