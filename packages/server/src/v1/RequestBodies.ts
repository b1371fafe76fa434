import { Actor } from "@llm-saas/domain/Actor"
import type { JsonObject } from "@llm-saas/domain/Json"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Scope } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpOptions } from "../http/HttpOptions.ts"
import { withBody } from "./RequestBody.ts"

/** Bodies up to this many bytes are not counted: as many as at other addresses. */
const SMALL_BYTES = 1_048_576
/** How many bodies of the largest size one tenant, and all together, may have in this process at once. */
const PER_TENANT = 4
const AT_ONCE = 16
const RETRY_AFTER_SECONDS = 2

/**
 * Large bodies in this process. A body is held for as long as its answer takes, and takes a multiple of its size: without a bound, the
 * waiting questions of one tenant would fill the memory of all.
 */
export class RequestBodies extends Context.Service<
  RequestBodies,
  {
    /** As {@link withBody}, once there is room for a body of this size. */
    readonly read: <A, E, R>(
      request: HttpServerRequest.HttpServerRequest,
      use: (body: JsonObject) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A | HttpServerResponse.HttpServerResponse, E | TooManyRequests, R | Actor>
    /** Takes room for what is read beside a body, or for longer than it, until the scope closes. */
    readonly hold: (bytes: number) => Effect.Effect<void, TooManyRequests, Actor | Scope.Scope>
  }
>()("@llm-saas/server/v1/RequestBodies") {
  static readonly layer = Layer.effect(
    RequestBodies,
    Effect.map(HttpOptions, ({ maxV1BodyBytes }) => {
      const held = new HeldBytes(maxV1BodyBytes * PER_TENANT, maxV1BodyBytes * AT_ONCE)
      const hold = (bytes: number) =>
        bytes <= SMALL_BYTES
          ? Effect.void
          : Effect.flatMap(Actor, ({ tenantId }) =>
              Effect.asVoid(
                Effect.acquireRelease(
                  Effect.suspend(() =>
                    held.take(tenantId, bytes)
                      ? Effect.void
                      : Effect.fail(new TooManyRequests({ retry_after: RETRY_AFTER_SECONDS }))
                  ),
                  () => Effect.sync(() => held.release(tenantId, bytes))
                )
              )
            )
      return RequestBodies.of({
        hold,
        read: (request, use) => {
          const bytes = bytesOf(request, maxV1BodyBytes)
          if (bytes <= SMALL_BYTES) return withBody(request, use)
          return Effect.scopedWith((scope) => Effect.andThen(Scope.provide(hold(bytes), scope), withBody(request, use)))
        }
      })
    })
  )
}

/** The bytes of a request's body. One that does not say its length may have all that is allowed. */
export const bytesOf = ({ headers }: HttpServerRequest.HttpServerRequest, most: number): number =>
  Number(headers["content-length"] ?? most)

/** Bytes that are held, of each tenant and of all. */
export class HeldBytes {
  readonly #perTenant: number
  readonly #atOnce: number
  readonly #tenants = new Map<TenantId, number>()
  #all = 0

  constructor(perTenant: number, atOnce: number) {
    this.#perTenant = perTenant
    this.#atOnce = atOnce
  }

  /** Number of tenants that hold some. */
  get size(): number {
    return this.#tenants.size
  }

  /** Whether there was room, which is taken then. */
  take(tenant: TenantId, bytes: number): boolean {
    const own = (this.#tenants.get(tenant) ?? 0) + bytes
    if (own > this.#perTenant || this.#all + bytes > this.#atOnce) return false
    this.#tenants.set(tenant, own)
    this.#all += bytes
    return true
  }

  release(tenant: TenantId, bytes: number): void {
    const own = (this.#tenants.get(tenant) ?? 0) - bytes
    if (own > 0) this.#tenants.set(tenant, own)
    else this.#tenants.delete(tenant)
    this.#all -= bytes
  }
}
