import type { TenantId } from "@llm-saas/domain/Tenant"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import type { UserId } from "@llm-saas/domain/User"
import { Effect, PartitionedSemaphore, Semaphore } from "effect"

/** How much may run at once in this process. */
export interface Limits {
  /** Questions of one user, waiting ones included. One more is refused. */
  readonly perUser: number
  /** Answers of one tenant that run at once; further questions wait in the tenant's own line. */
  readonly perTenant: number
  /** Questions of one tenant that may wait. One more is refused. */
  readonly waitingPerTenant: number
  /** Answers that run at once, of all tenants together. */
  readonly atOnce: number
}

/** The current load. */
export interface Load {
  readonly running: number
  readonly waiting: number
}

interface TenantLoad {
  readonly turn: Semaphore.Semaphore
  active: number
}

/** Seconds a refused client is asked to wait. */
const RETRY_AFTER_SECONDS = 2

/**
 * Decides when a question may go to the model. Each tenant has its own line and its own share, and free turns go around the tenants: 2,000
 * waiting questions of one tenant do not delay another's first token. Nothing is held while waiting: no row, no connection. Each process has
 * its own: it is for fairness within one. Limits and budgets of tenants, users and keys are the database's (`work.admit`), for all processes.
 */
export class Admission {
  readonly #limits: Limits
  readonly #all: PartitionedSemaphore.PartitionedSemaphore<TenantId>
  readonly #tenants = new Map<TenantId, TenantLoad>()
  readonly #users = new Map<string, number>()
  #running = 0
  #waiting = 0

  constructor(limits: Limits) {
    this.#limits = limits
    this.#all = PartitionedSemaphore.makeUnsafe({ permits: limits.atOnce })
  }

  get load(): Load {
    return { running: this.#running, waiting: this.#waiting }
  }

  /**
   * Waits for a turn, or refuses at once where too many wait already. Returns how to release the turn, to be called once. When interrupted
   * while waiting, it has taken nothing.
   */
  enter(tenantId: TenantId, userId: UserId): Effect.Effect<Effect.Effect<void>, TooManyRequests> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const user = `${tenantId} ${userId}`
        const mine = this.#users.get(user) ?? 0
        const { perTenant, perUser, waitingPerTenant } = this.#limits
        const tenant = this.#tenants.get(tenantId) ?? { turn: Semaphore.makeUnsafe(perTenant), active: 0 }
        if (mine >= perUser || tenant.active >= perTenant + waitingPerTenant)
          return Effect.fail(new TooManyRequests({ retry_after: RETRY_AFTER_SECONDS }))
        this.#users.set(user, mine + 1)
        this.#tenants.set(tenantId, tenant)
        tenant.active++
        this.#waiting++
        const leave = () => {
          this.#waiting--
          this.#left(tenantId, tenant, user)
        }
        return restore(tenant.turn.take(1)).pipe(
          Effect.andThen(
            Effect.onInterrupt(restore(this.#all.take(tenantId, 1)), () => Effect.asVoid(tenant.turn.release(1)))
          ),
          Effect.onInterrupt(() => Effect.sync(leave)),
          Effect.map(() => {
            this.#waiting--
            this.#running++
            return Effect.suspend(() => {
              this.#running--
              this.#left(tenantId, tenant, user)
              return Effect.andThen(this.#all.release(1), Effect.asVoid(tenant.turn.release(1)))
            })
          })
        )
      })
    )
  }

  #left(tenantId: TenantId, tenant: TenantLoad, user: string): void {
    tenant.active--
    if (tenant.active === 0) this.#tenants.delete(tenantId)
    const rest = (this.#users.get(user) ?? 1) - 1
    if (rest > 0) this.#users.set(user, rest)
    else this.#users.delete(user)
  }
}
