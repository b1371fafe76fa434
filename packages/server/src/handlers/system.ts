import { Api } from "@llm-saas/api/Api"
import { Gate } from "@llm-saas/database/Gate"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccessTokens } from "../AccessTokens.ts"

const OK = { status: "ok" as const }

/** Probes and public keys. */
export const SystemHandlers = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const gate = yield* Gate
    const tokens = yield* AccessTokens
    return handlers.handleAll({
      health: () => Effect.succeed(OK),
      ready: () => Effect.as(gate.ping, OK),
      jwks: () => Effect.succeed(tokens.jwks)
    })
  })
)
