import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access } from "./Access.ts"
import * as Examples from "./Examples.ts"

const Ok = Schema.Struct({ status: Schema.Literal("ok") }).annotate({ identifier: "Ok" })

const OK: typeof Ok.Encoded = { status: "ok" }

const health = HttpApiEndpoint.get("health", "/health", { success: Ok })
  .annotateMerge(Examples.answers(200, OK))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Is the process alive",
      description: "Touches no database. For liveness probes."
    })
  )

const ready = HttpApiEndpoint.get("ready", "/ready", { success: Ok, error: Unavailable })
  .annotateMerge(Examples.answers(200, OK))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Can the process serve",
      description: "The database answers and its schema is the one this program was built for. For readiness probes."
    })
  )

/** The public half of the signing keys (RFC 7517). Empty when tokens are signed with a shared secret. */
const jwks = HttpApiEndpoint.get("jwks", "/.well-known/jwks.json", {
  success: Schema.Struct({ keys: Schema.Array(Schema.Record(Schema.String, Schema.String)) }).annotate({
    identifier: "Jwks"
  })
})
  .annotateMerge(Examples.answers(200, { keys: [] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Public signing keys",
      description: "For services that verify our tokens themselves."
    })
  )

/** Endpoints for operators and other services. */
export class SystemApi extends HttpApiGroup.make("system")
  .add(health, ready, jwks)
  .annotateEndpoints(Access, "public")
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Probes and public keys." })) {}
