import { assert, it } from "@effect/vitest"
import { Access } from "@llm-saas/api/Access"
import { CallAuthorization, CallBoundary } from "@llm-saas/api/Call"
import { Rpcs } from "@llm-saas/api/Rpcs"
import { Effect, Layer } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { callAccessCheckLayer, undeclared } from "../../src/rpc/AccessCheck.ts"

const careless = RpcGroup.make(
  Rpc.make("forgotten"),
  Rpc.make("open").annotate(Access, "user"),
  Rpc.make("shut").middleware(CallAuthorization).annotate(Access, "public"),
  Rpc.make("fine").middleware(CallAuthorization).annotate(Access, "admin")
).middleware(CallBoundary)

it("every call of the contract says who may make it, and asks for what it says", () => {
  assert.deepStrictEqual(undeclared(Rpcs.requests.values()), [])
})

it("a call that does not is found, and one whose failures would leave as they are", () => {
  assert.deepStrictEqual(undeclared(careless.add(Rpc.make("bare").annotate(Access, "public")).requests.values()), [
    "forgotten declares no access",
    "open is for user and asks for no token",
    "shut is public and asks for a token",
    "bare has no boundary"
  ])
})

it.effect("and the server does not start", () =>
  Effect.gen(function* () {
    const failure = yield* Effect.flip(Effect.scoped(Layer.build(callAccessCheckLayer(careless))))
    assert.include(failure.message, "forgotten declares no access")
  })
)
