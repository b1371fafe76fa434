import { assert, it } from "@effect/vitest"
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { Access } from "../src/Access.ts"
import { Api } from "../src/Api.ts"
import { Rpcs } from "../src/Rpcs.ts"

/** Endpoints without a call: for probes, pages and other programs, a second way to ask for a stream, files, and what a browser does. */
const ALONE = [
  "system.about",
  "system.health",
  "system.jwks",
  "system.ready",
  "messages.streamUrl",
  "usage.export",
  "audit.export",
  "identities.link",
  "sso.start",
  "sso.startWith",
  "sso.callback"
]
/** Endpoints of other APIs, which only clients of those call, and those of the operator, who has a command. */
const FOREIGN = ["openai", "responses", "anthropic", "operator"]
/** Calls whose name differs from their endpoint's. */
const RENAMED: Readonly<Record<string, string>> = { "generations.stream": "generations.watch" }

it("every operation of HTTP is an RPC call, with the same access", () => {
  const endpoints = new Map<string, unknown>()
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, group, mergedAnnotations }) => {
      const name = `${group.identifier}.${endpoint.identifier}`
      if (!ALONE.includes(name) && !FOREIGN.includes(group.identifier))
        endpoints.set(RENAMED[name] ?? name, Context.getOrUndefined(mergedAnnotations, Access))
    }
  })
  const calls = new Map<string, unknown>(
    [...Rpcs.requests.values()].map(({ _tag, annotations }) => [_tag, Context.getOrUndefined(annotations, Access)])
  )
  const without = [...endpoints.keys()].filter((name) => !calls.has(name))
  assert.deepStrictEqual(without, [], "endpoints without a call in packages/api/src/*Rpc.ts, or a reason in ALONE")
  assert.deepStrictEqual(Object.fromEntries(calls), Object.fromEntries(endpoints))
})
