import { Api } from "@llm-saas/api/Api"
import type { CreateKey } from "@llm-saas/api/KeysApi"
import type { CreateServiceAccount } from "@llm-saas/api/ServiceAccountsApi"
import type { KeyId } from "@llm-saas/domain/ApiKey"
import { type AllowanceChange, changeOf } from "@llm-saas/domain/Limit"
import { Keys } from "@llm-saas/engine/accounts/Keys"
import { ServiceAccounts } from "@llm-saas/engine/accounts/ServiceAccounts"
import { DateTime, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/keys…` and `/v1/key`. */
export const KeysHandlers = HttpApiBuilder.group(
  Api,
  "keys",
  Effect.fnUntraced(function* (handlers) {
    const keys = yield* Keys
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      create: ({ headers, payload }) => keys.create(newKey(attempts, payload, headers["idempotency-key"])),
      list: ({ query }) =>
        keys.list({ scope: query.scope ?? "own", limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      get: ({ params }) => keys.get(params.id),
      change: ({ params, payload }) => keys.change(params.id, payload),
      remove: ({ params }) => keys.remove(params.id),
      rotate: ({ headers, params, payload }) =>
        keys.rotate(params.id, rotation(attempts, params.id, payload.grace_seconds, headers["idempotency-key"])),
      current: () => keys.current
    })
  })
)

/** `/service-accounts…`. */
export const ServiceAccountsHandlers = HttpApiBuilder.group(
  Api,
  "serviceAccounts",
  Effect.fnUntraced(function* (handlers) {
    const accounts = yield* ServiceAccounts
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      create: ({ headers, payload }) =>
        accounts.create(newServiceAccount(attempts, payload, headers["idempotency-key"])),
      list: ({ query }) => accounts.list({ limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      get: ({ params }) => accounts.get(params.id),
      change: ({ params, payload }) => accounts.change(params.id, payload),
      remove: ({ params }) => accounts.remove(params.id)
    })
  })
)

/** A key as a request describes one, and the idempotency attempt it belongs to. */
export const newKey = (
  attempts: CreationAttempts["Service"],
  { expires_at = null, metadata = {}, models = null, name, owner = "me", scopes, ...allowance }: typeof CreateKey.Type,
  key: string | undefined
): Parameters<Keys["Service"]["create"]>[0] => {
  const body = [
    name,
    owner.toLowerCase(),
    JSON.stringify(scopes.toSorted()),
    JSON.stringify(models),
    expires_at === null ? null : DateTime.formatIso(expires_at),
    JSON.stringify(Object.entries(metadata).toSorted()),
    ...limitsOf(allowance)
  ]
  return {
    name,
    owner: owner === "me" ? undefined : owner,
    scopes,
    models,
    expires_at,
    metadata,
    ...changeOf(allowance),
    attempt: attempts.of("keys.create", key, body)
  }
}

/** What a request says of limits; nothing, where it says nothing, as before there were any. */
const limitsOf = ({ budget, limits }: AllowanceChange): ReadonlyArray<string> =>
  budget === undefined && limits === undefined
    ? []
    : [
        JSON.stringify([
          limits?.requests_per_minute,
          limits?.tokens_per_minute,
          limits?.concurrent,
          budget?.amount,
          budget?.period,
          budget?.alert_at
        ])
      ]

/** A rotation as a request describes one. */
export const rotation = (
  attempts: CreationAttempts["Service"],
  id: KeyId,
  graceSeconds = 0,
  key: string | undefined
): Parameters<Keys["Service"]["rotate"]>[1] => ({
  graceSeconds,
  attempt: attempts.of("keys.rotate", key, [id.toLowerCase(), graceSeconds])
})

/** A service account as an admin's request describes one. */
export const newServiceAccount = (
  attempts: CreationAttempts["Service"],
  { name, role = "user", ...allowance }: typeof CreateServiceAccount.Type,
  key: string | undefined
): Parameters<ServiceAccounts["Service"]["create"]>[0] => ({
  name,
  role,
  ...changeOf(allowance),
  attempt: attempts.of("serviceAccounts.create", key, [name, role, ...limitsOf(allowance)])
})
