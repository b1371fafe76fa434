import { ProviderKeysRpc } from "@llm-saas/api/ProviderKeysRpc"
import { ProviderKeys } from "@llm-saas/engine/providerKeys/ProviderKeys"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { newProviderKey } from "../../http/handlers/providerKeys.ts"

/** `providerKeys.…`. */
export const ProviderKeysCalls = ProviderKeysRpc.toLayer(
  Effect.map(Effect.all([ProviderKeys, CreationAttempts]), ([keys, attempts]) =>
    ProviderKeysRpc.of({
      "providerKeys.create": ({ idempotency_key, ...key }) =>
        keys.create(newProviderKey(attempts, key, idempotency_key)),
      "providerKeys.list": ({ cursor, limit }) => keys.list({ limit: limit ?? DEFAULT_PAGE, cursor }),
      "providerKeys.change": ({ id, ...change }) => keys.change(id, change),
      "providerKeys.remove": ({ id }) => keys.remove(id)
    })
  )
)
