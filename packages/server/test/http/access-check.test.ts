import { assert, it } from "@effect/vitest"
import { Access, Authorization } from "@llm-saas/api/Access"
import { Api } from "@llm-saas/api/Api"
import { Effect, Layer } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { accessCheckLayer, undeclared } from "../../src/http/AccessCheck.ts"

const forgotten = HttpApiEndpoint.get("forgotten", "/forgotten")
const open = HttpApiEndpoint.get("open", "/open").annotate(Access, "user")
const shut = HttpApiEndpoint.get("shut", "/shut").middleware(Authorization).annotate(Access, "public")
const fine = HttpApiEndpoint.get("fine", "/fine").middleware(Authorization).annotate(Access, "admin")

class Careless extends HttpApi.make("careless").add(HttpApiGroup.make("group").add(forgotten, open, shut, fine)) {}

it("every endpoint of the contract says who may call it, and asks for what it says", () => {
  assert.deepStrictEqual(undeclared(Api), [])
})

it("an endpoint that does not is found", () => {
  assert.deepStrictEqual(undeclared(Careless), [
    "GET /forgotten declares no access",
    "GET /open is for user and asks for no token",
    "GET /shut is public and asks for a token"
  ])
})

it.effect("and the server does not start", () =>
  Effect.gen(function* () {
    const failure = yield* Effect.flip(Effect.scoped(Layer.build(accessCheckLayer(Careless))))
    assert.include(failure.message, "GET /forgotten declares no access")
  })
)
