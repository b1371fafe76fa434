import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "./People.ts"
import { Running } from "./Running.ts"

const ABOUT = {
  name: "llm-saas",
  version: "0.1.0",
  setup: true,
  tenant_creation: "open",
  password_min_length: 8,
  require_verified_email: false,
  mock_model: true,
  mlflow_url: null
}

describe("what an installation says of itself", () => {
  layer(Running.layer, { timeout: "120 seconds" })("as the tests run it", (it) => {
    it.effect("it is to be set up until there is a tenant, and nothing else depends on tenants", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const about = Effect.map(send("GET", "/about"), ({ body, status }) => ({ status, body }))
        assert.deepStrictEqual(yield* about, { status: 200, body: ABOUT })
        const { body: tenant } = yield* send("POST", "/create-tenant", { json: { name: "Acme" } })
        const first = yield* about
        assert.deepStrictEqual(first, { status: 200, body: { ...ABOUT, setup: false } })
        const person = yield* signUp(send, String(tenant["id"]))
        yield* send("POST", "/create-tenant", { json: { name: "Globex" } })
        assert.deepStrictEqual(yield* about, first)
        assert.deepStrictEqual((yield* send("GET", "/about", { token: person.token })).body, first.body)
        assert.strictEqual((yield* send("GET", `/about?tenant_id=${String(tenant["id"])}`)).status, 400)
      })
    )
  })

  layer(
    Running.with({
      APP_ENV: "development",
      APP_NAME: "Acme AI",
      TENANT_CREATION: "closed",
      PASSWORD_MIN_LENGTH: "12",
      REQUIRE_VERIFIED_EMAIL: "true",
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
      MLFLOW_TRACKING_URI: "http://127.0.0.1:9/mlflow/"
    }),
    { timeout: "120 seconds" }
  )("in development, otherwise configured", (it) => {
    it.effect("it says what is configured, and where MLflow is", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        assert.deepStrictEqual((yield* send("GET", "/about")).body, {
          ...ABOUT,
          name: "Acme AI",
          tenant_creation: "closed",
          password_min_length: 12,
          require_verified_email: true,
          mock_model: false,
          mlflow_url: "http://127.0.0.1:9/mlflow"
        })
      })
    )
  })
})
