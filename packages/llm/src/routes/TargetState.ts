import type { Dependency } from "@llm-saas/domain/Dependency"
import type { Clock } from "effect"
import { FaultLog } from "../FaultLog.ts"
import { ProviderHealth } from "../ProviderHealth.ts"
import type { AttemptRecord } from "../Provider.ts"
import type { LiveTarget } from "./Live.ts"

/** What is remembered of one target, also while configurations change. */
export interface TargetState {
  readonly faults: FaultLog
  /**
   * By whose key it was asked: an account of a tenant that is out of money, or over its rate, shows nothing about the installation's. The
   * partitions keep tenants apart within each.
   */
  readonly health: { readonly [Source in AttemptRecord["keySource"]]: ProviderHealth }
}

/** The states of all targets of the current configuration, by provider, address and model. Aliases of one target share its state. */
export class TargetStates {
  readonly #states = new Map<string, TargetState>()
  readonly #clock: Clock.Clock
  readonly #dependency: Dependency

  constructor(clock: Clock.Clock, dependency: Dependency) {
    this.#clock = clock
    this.#dependency = dependency
  }

  of(target: LiveTarget): TargetState {
    const key = keyOf(target)
    const found = this.#states.get(key)
    if (found !== undefined) return found
    const { model } = target.target
    const health = () => new ProviderHealth({ clock: this.#clock, model, provider: this.#dependency })
    const state = { faults: new FaultLog(model), health: { installation: health(), tenant: health() } }
    this.#states.set(key, state)
    return state
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
