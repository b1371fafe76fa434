import { KeysRpc } from "@llm-saas/api/KeysRpc"
import { Keys } from "@llm-saas/engine/accounts/Keys"
import { ServiceAccounts } from "@llm-saas/engine/accounts/ServiceAccounts"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { newKey, newServiceAccount, rotation } from "../../http/handlers/keys.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"

/** `keys.…` and `serviceAccounts.…`. */
export const KeysCalls = KeysRpc.toLayer(
  Effect.map(Effect.all([Keys, ServiceAccounts, CreationAttempts]), ([keys, accounts, attempts]) =>
    KeysRpc.of({
      "keys.create": ({ idempotency_key, ...key }) => keys.create(newKey(attempts, key, idempotency_key)),
      "keys.list": ({ cursor, limit, scope }) =>
        keys.list({ scope: scope ?? "own", limit: limit ?? DEFAULT_PAGE, cursor }),
      "keys.get": ({ id }) => keys.get(id),
      "keys.change": ({ id, ...change }) => keys.change(id, change),
      "keys.remove": ({ id }) => keys.remove(id),
      "keys.rotate": ({ grace_seconds, id, idempotency_key }) =>
        keys.rotate(id, rotation(attempts, id, grace_seconds, idempotency_key)),
      "keys.current": () => keys.current,
      "serviceAccounts.create": ({ idempotency_key, ...account }) =>
        accounts.create(newServiceAccount(attempts, account, idempotency_key)),
      "serviceAccounts.list": ({ cursor, limit }) => accounts.list({ limit: limit ?? DEFAULT_PAGE, cursor }),
      "serviceAccounts.get": ({ id }) => accounts.get(id),
      "serviceAccounts.change": ({ id, ...change }) => accounts.change(id, change),
      "serviceAccounts.remove": ({ id }) => accounts.remove(id)
    })
  )
)
