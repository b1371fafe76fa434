import { Access, Authorization } from "@llm-saas/api/Access"
import { Context, Effect, Layer } from "effect"
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { StartupFailed } from "../Startup.ts"

/** Endpoints that do not say who may call them, or say one thing and do another. */
export const undeclared = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, mergedAnnotations, middleware }) => {
      const access = Context.getOrUndefined(mergedAnnotations, Access)
      const guarded = [...middleware].some(({ key }) => key === Authorization.key)
      const name = `${endpoint.method} ${endpoint.path}`
      if (access === undefined) found.push(`${name} declares no access`)
      else if (access === "public" && guarded) found.push(`${name} is public and asks for a token`)
      else if (access !== "public" && !guarded) found.push(`${name} is for ${access} and asks for no token`)
    }
  })
  return found
}

/** The server does not start if an endpoint is open by mistake. */
export const AccessCheck = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
) =>
  Layer.effectDiscard(
    Effect.suspend(() => {
      const found = undeclared(api)
      return found.length === 0
        ? Effect.void
        : Effect.fail(new StartupFailed({ message: `who may call what is not settled: ${found.join(", ")}` }))
    })
  )
