import { Api } from "@llm-saas/api/Api"
import { Gate } from "@llm-saas/database/Gate"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SigningKeys } from "../SigningKeys.ts"

const OK = { status: "ok" as const }

/** Probes and public keys. */
export const SystemHandlers = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function*(handlers) {
    const gate = yield* Gate
    const keys = yield* SigningKeys
    return handlers.handleAll({
      health: () => Effect.succeed(OK),
      ready: () => Effect.as(gate.ready, OK),
      jwks: () => Effect.succeed(keys.jwks)
    })
  })
)
