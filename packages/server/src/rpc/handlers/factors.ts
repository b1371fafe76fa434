import { FactorsRpc } from "@llm-saas/api/FactorsRpc"
import { Factors } from "@llm-saas/engine/accounts/Factors"
import { LoginPolicies } from "@llm-saas/engine/accounts/LoginPolicies"
import { Effect } from "effect"
import { PasskeyEnrolments } from "../../auth/PasskeyEnrolments.ts"
import { Proofs } from "../../auth/Proofs.ts"
import { SecondStep } from "../../auth/SecondStep.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { FACTOR_ONLY, TOTP_NAME } from "../../http/handlers/factors.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `secondFactor.…`, `factors.…` and `loginPolicy.…`. */
export const FactorsCalls = FactorsRpc.toLayer(
  Effect.gen(function* () {
    const factors = yield* Factors
    const policies = yield* LoginPolicies
    const proofs = yield* Proofs
    const enrolments = yield* PasskeyEnrolments
    const sessions = yield* Sessions
    const step = yield* SecondStep
    return FactorsRpc.of({
      "secondFactor.answer": (given) => Effect.flatMap(CurrentSender, (from) => sessions.finish(given, from)),
      "secondFactor.enrol": ({ challenge }) => step.enrol(challenge),
      "factors.list": () => factors.list,
      "factors.prove": (given) => Effect.flatMap(CurrentSender, (from) => proofs.prove(given, from)),
      "factors.beginTotp": ({ name, proof }) =>
        Effect.andThen(proofs.demand(proof), factors.beginTotp(name ?? TOTP_NAME)),
      "factors.confirmTotp": ({ code }) => factors.confirmTotp(code),
      "factors.passkeyProof": () => proofs.beginPasskey,
      "factors.beginPasskey": ({ proof }) => Effect.andThen(proofs.demand(proof), enrolments.begin),
      "factors.addPasskey": (passkey) => enrolments.add(passkey),
      "factors.remove": ({ id, proof }) => Effect.andThen(proofs.demand(proof), factors.remove(id)),
      "factors.recoveryCodes": ({ proof }) =>
        Effect.map(Effect.andThen(proofs.demand(proof), factors.newRecoveryCodes), (recovery_codes) => ({
          recovery_codes
        })),
      "factors.listOf": (of) => Effect.map(factors.listOf(of), (data) => ({ data })),
      "factors.removeOf": ({ proof, ...of }) => Effect.andThen(proofs.demand(proof), factors.removeOf(of)),
      "loginPolicy.get": ({ id }) => policies.get(id),
      "loginPolicy.put": ({ id, proof, ...policy }) =>
        Effect.andThen(proofs.demand(proof, FACTOR_ONLY), policies.put(id, policy))
    })
  })
)
