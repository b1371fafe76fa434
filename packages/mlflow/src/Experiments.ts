import type { TenantId } from "@llm-saas/domain/Tenant"
import { Cache, Duration, Effect, Exit, Schema } from "effect"
import type { MlflowFailed } from "./MlflowFailed.ts"
import type { MlflowHttp } from "./MlflowHttp.ts"

/** The experiment of a tenant's runs and traces. */
export interface ExperimentOptions {
  readonly experiment: string
  /** `experiment`: one per tenant, so that MLflow's permissions, dashboards and deletion work per tenant. `shared`: one for all. */
  readonly isolation: "experiment" | "shared"
}

/** Maximum number of tenants whose experiment is remembered. */
const REMEMBERED = 10_000

const Found = Schema.Struct({
  experiment: Schema.Struct({ experiment_id: Schema.String, lifecycle_stage: Schema.optionalKey(Schema.String) })
})
const Created = Schema.Struct({ experiment_id: Schema.String })

/** Experiments by tenant: created if missing, restored if deleted, and cached. */
export const make = Effect.fnUntraced(function* (
  http: MlflowHttp["Service"],
  { experiment, isolation }: ExperimentOptions
) {
  const nameOf = (tenantId: TenantId) => (isolation === "shared" ? experiment : `${experiment}/${tenantId}`)

  const find = Effect.fnUntraced(function* (name: string) {
    const { experiment: found } = yield* http.call(
      { method: "GET", path: `/api/2.0/mlflow/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}` },
      Found
    )
    if (found.lifecycle_stage === "deleted")
      yield* (
        http
          .text({
            method: "POST",
            path: "/api/2.0/mlflow/experiments/restore",
            body: { experiment_id: found.experiment_id }
          })
          // Another process restored it meanwhile.
          .pipe(Effect.catchIf(isReason("gone"), () => Effect.void))
      )
    return found.experiment_id
  })

  const create = (name: string, tenantId: TenantId) =>
    http
      .call(
        {
          method: "POST",
          path: "/api/2.0/mlflow/experiments/create",
          body: { name, tags: isolation === "shared" ? [] : [{ key: "tenant_id", value: tenantId }] }
        },
        Created
      )
      .pipe(Effect.map(({ experiment_id }) => experiment_id))

  const cache = yield* Cache.makeWith(
    (tenantId: TenantId) => {
      const name = nameOf(tenantId)
      return find(name).pipe(
        Effect.catchIf(isReason("gone"), () => create(name, tenantId)),
        // Two processes with the same new tenant: one of them creates it.
        Effect.catchIf(isReason("exists"), () => find(name))
      )
    },
    {
      capacity: REMEMBERED,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
    }
  )
  return {
    /** The id of the tenant's experiment. */
    idOf: (tenantId: TenantId) => Cache.get(cache, tenantId),
    /** Drops it from the cache: it was deleted, or the server is another one now. */
    forget: (tenantId: TenantId) => Cache.invalidate(cache, tenantId),
    forgetAll: Cache.invalidateAll(cache)
  }
})

const isReason = (reason: MlflowFailed["reason"]) => (failed: MlflowFailed) => failed.reason === reason
