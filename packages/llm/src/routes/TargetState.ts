import type { KeySource } from "@llm-saas/domain/Attempt"
import type { Dependency } from "@llm-saas/domain/Dependency"
import type { TargetHealth } from "@llm-saas/domain/Operator"
import type { Clock } from "effect"
import { FaultLog, type Names } from "../FaultLog.ts"
import { ProviderHealth } from "../ProviderHealth.ts"
import type { LiveTarget } from "./Live.ts"

/** What is remembered of one target, also while configurations change. */
export interface TargetState {
  readonly faults: FaultLog
  readonly health: ProviderHealth
}

/**
 * By whose key it is asked: an account of a tenant that is out of money, or over its rate, shows nothing about the installation's. The
 * partitions keep tenants apart within each.
 */
type BySource = { readonly [Source in KeySource]: TargetState }

/** The states of all targets of the current configuration, by provider, address and model. Aliases of one target share its state. */
export class TargetStates {
  readonly #states = new Map<string, BySource>()
  readonly #clock: Clock.Clock
  readonly #dependency: Dependency

  constructor(clock: Clock.Clock, dependency: Dependency) {
    this.#clock = clock
    this.#dependency = dependency
  }

  of(target: LiveTarget): BySource {
    const key = keyOf(target)
    const found = this.#states.get(key)
    if (found !== undefined) return found
    const { model } = target.target
    const health = () => new ProviderHealth({ clock: this.#clock, model, provider: this.#dependency })
    const state = (source: KeySource) => ({
      faults: new FaultLog(model, namesOf(target, source)),
      health: health()
    })
    const states = { installation: state("installation"), tenant: state("tenant") }
    // A question may ask a mock to fail: that is no outage.
    if (target.at.settings.type === "mock") return states
    this.#states.set(key, states)
    return states
  }

  /** What is known of these targets, each once: nothing of one that was not asked yet. */
  health(targets: ReadonlyArray<LiveTarget>): ReadonlyArray<TargetHealth> {
    const known = new Map(targets.map((target) => [keyOf(target), target]))
    return [...known].map(
      ([
        key,
        {
          provider,
          target: { model }
        }
      ]) => {
        const { all, tenants, waitMs } = this.#states.get(key)?.installation.health.look() ?? {
          all: "closed" as const,
          waitMs: undefined,
          tenants: 0
        }
        const retry_seconds = waitMs === undefined ? null : waitMs / 1000
        return { provider, model, breaker: all, retry_seconds, tenants_waiting: tenants }
      }
    )
  }

  /** Forgets all but these. */
  keep(targets: ReadonlyArray<LiveTarget>): void {
    const kept = new Set(targets.map(keyOf))
    for (const key of this.#states.keys()) if (!kept.has(key)) this.#states.delete(key)
  }
}

const keyOf = ({ at: { settings }, target: { model } }: LiveTarget): string => {
  const { apiVersion, baseUrl, name, type } = settings
  return JSON.stringify([name, type, baseUrl, apiVersion, model])
}

const namesOf = ({ at: { settings }, provider }: LiveTarget, source: KeySource): Names =>
  source === "installation" && settings.origin === "environment"
    ? { key: "OPENAI_API_KEY", model: "LLM_MODEL", address: "OPENAI_BASE_URL" }
    : {
        key: source === "tenant" ? "a tenant's own key" : `the key of providers.${provider}`,
        model: "the model",
        address: `base_url of providers.${provider}`
      }
