import { Api } from "@llm-saas/api/Api"
import { Readiness } from "@llm-saas/database/connections/Readiness"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccessTokens } from "../../auth/AccessTokens.ts"
import { makeAbout } from "../About.ts"

const OK = { status: "ok" as const }

/** Probes and public keys. */
export const SystemHandlers = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const readiness = yield* Readiness
    const tokens = yield* AccessTokens
    const about = yield* makeAbout
    return handlers.handleAll({
      health: () => Effect.succeed(OK),
      ready: () => Effect.as(readiness.check, OK),
      about: () => about,
      jwks: () => Effect.succeed(tokens.jwks)
    })
  })
)
