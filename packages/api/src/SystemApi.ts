import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { VERSION } from "./Version.ts"

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

/** What a client must know before anybody has logged in. Nothing of any tenant. */
export const About = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  /** Whether there is no tenant yet. */
  setup: Schema.Boolean,
  tenant_creation: Schema.Literals(["open", "token", "closed"]),
  /** Characters. */
  password_min_length: Schema.Int,
  require_verified_email: Schema.Boolean,
  /** Whether the default model's answers are made up. */
  mock_model: Schema.Boolean,
  /** Null: MLflow is off, or not told. */
  mlflow_url: Schema.NullOr(Schema.String)
}).annotate({ identifier: "About" })

const ABOUT: typeof About.Encoded = {
  name: "llm-saas",
  version: VERSION,
  setup: true,
  tenant_creation: "open",
  password_min_length: 8,
  require_verified_email: false,
  mock_model: true,
  mlflow_url: "http://127.0.0.1:5001"
}

const about = HttpApiEndpoint.get("about", "/about", { success: About, error: Unavailable })
  .annotateMerge(Examples.answers(200, ABOUT))
  .annotateMerge(
    OpenApi.annotations({
      summary: "What this installation is",
      description:
        "For pages that show something before anybody has logged in. `setup`: there is no tenant yet. `tenant_creation`: who may create one: everybody, who has the token, or nobody from outside. `password_min_length` is in characters. `mock_model`: the default model's answers are made up. `mlflow_url`: where traces are, in development only; null too where tracking is off. Nothing of any tenant."
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
  .add(health, ready, about, jwks)
  .annotateEndpoints(Access, "public")
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Probes and public keys." })) {}
