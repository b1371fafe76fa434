import { Api } from "@llm-saas/api/Api"
import { Factors } from "@llm-saas/engine/accounts/Factors"
import { LoginPolicies } from "@llm-saas/engine/accounts/LoginPolicies"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { PasskeyEnrolments } from "../../auth/PasskeyEnrolments.ts"
import { Proofs } from "../../auth/Proofs.ts"

/** What one-time codes are called where nothing is said. */
export const TOTP_NAME = "authenticator"

/** `/me/factors…`, `/me/proof`, `/tenants/{id}/users/{user}/factors…`. */
export const FactorsHandlers = HttpApiBuilder.group(
  Api,
  "factors",
  Effect.fnUntraced(function* (handlers) {
    const factors = yield* Factors
    const proofs = yield* Proofs
    const enrolments = yield* PasskeyEnrolments
    return handlers.handleAll({
      list: () => factors.list,
      prove: ({ payload, request }) => proofs.prove(payload, request),
      beginTotp: ({ headers, payload }) =>
        Effect.andThen(proofs.demand(headers.proof), factors.beginTotp(payload.name ?? TOTP_NAME)),
      confirmTotp: ({ payload }) => factors.confirmTotp(payload.code),
      passkeyProof: () => proofs.beginPasskey,
      beginPasskey: ({ headers }) => Effect.andThen(proofs.demand(headers.proof), enrolments.begin),
      addPasskey: ({ payload }) => enrolments.add(payload),
      remove: ({ headers, params }) => Effect.andThen(proofs.demand(headers.proof), factors.remove(params.id)),
      recoveryCodes: ({ headers }) =>
        Effect.map(Effect.andThen(proofs.demand(headers.proof), factors.newRecoveryCodes), (recovery_codes) => ({
          recovery_codes
        })),
      listOf: ({ params }) => Effect.map(factors.listOf(params), (data) => ({ data })),
      removeOf: ({ headers, params }) => Effect.andThen(proofs.demand(headers.proof), factors.removeOf(params))
    })
  })
)

/** `/tenants/{id}/login-policy`. */
export const LoginPolicyHandlers = HttpApiBuilder.group(
  Api,
  "loginPolicy",
  Effect.fnUntraced(function* (handlers) {
    const policies = yield* LoginPolicies
    const proofs = yield* Proofs
    return handlers.handleAll({
      get: ({ params }) => policies.get(params.id),
      put: ({ headers, params, payload }) =>
        Effect.andThen(proofs.demand(headers.proof, FACTOR_ONLY), policies.put(params.id, payload))
    })
  })
)

/** What an admin without a second factor did before, they do as before. */
export const FACTOR_ONLY = { factorOnly: true }
