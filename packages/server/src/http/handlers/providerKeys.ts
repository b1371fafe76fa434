import { Api } from "@llm-saas/api/Api"
import type { CreateProviderKey } from "@llm-saas/api/ProviderKeysApi"
import { ProviderKeys } from "@llm-saas/engine/providerKeys/ProviderKeys"
import { Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/provider-keys…`. */
export const ProviderKeysHandlers = HttpApiBuilder.group(
  Api,
  "providerKeys",
  Effect.fnUntraced(function* (handlers) {
    const keys = yield* ProviderKeys
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      create: ({ headers, payload }) => keys.create(newProviderKey(attempts, payload, headers["idempotency-key"])),
      list: ({ query }) => keys.list({ limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      change: ({ params, payload }) => keys.change(params.id, payload),
      remove: ({ params }) => keys.remove(params.id)
    })
  })
)

/** A key as a request describes one, and the idempotency attempt it belongs to, whose hash is keyed. */
export const newProviderKey = (
  attempts: CreationAttempts["Service"],
  { key, models = null, name, provider }: typeof CreateProviderKey.Type,
  idempotencyKey: string | undefined
): Parameters<ProviderKeys["Service"]["create"]>[0] => ({
  provider,
  name,
  key,
  models,
  attempt: attempts.of("providerKeys.create", idempotencyKey, [
    provider,
    name,
    Redacted.value(key),
    JSON.stringify(models)
  ])
})
