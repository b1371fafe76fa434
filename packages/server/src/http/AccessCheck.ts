import { Access, Authorization } from "@llm-saas/api/Access"
import { OperatorAuthorization } from "@llm-saas/api/OperatorAuthorization"
import type { Access as Least } from "@llm-saas/domain/Actor"
import { Context, Effect, Layer } from "effect"
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { StartupFailed } from "../process/Startup.ts"

/** Endpoints that do not declare who may call them, or whose declaration contradicts their middleware. */
export const undeclared = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, mergedAnnotations, middleware }) => {
      const access = Context.getOrUndefined(mergedAnnotations, Access)
      const guard = access === "operator" ? OperatorAuthorization : Authorization
      const guarded = [...middleware].some(({ key }) => key === guard.key)
      found.push(...contradiction(`${endpoint.method} ${endpoint.path}`, access, guarded))
    }
  })
  return found
}

/**
 * What is wrong with an endpoint: nothing, if it declares whom it is for (`access`) and asks for a token (`guarded`) exactly when it
 * must.
 */
export const contradiction = (name: string, access: Least | undefined, guarded: boolean): ReadonlyArray<string> => {
  if (access === undefined) return [`${name} declares no access`]
  if (access === "public") return guarded ? [`${name} is public and asks for a token`] : []
  return guarded ? [] : [`${name} is for ${access} and asks for no token`]
}

/** Stops the start if `find` finds an endpoint that is open by mistake. */
export const refuseToStart = (find: () => ReadonlyArray<string>) =>
  Layer.effectDiscard(
    Effect.suspend(() => {
      const found = find()
      return found.length === 0
        ? Effect.void
        : Effect.fail(new StartupFailed({ message: `who may call what is not settled: ${found.join(", ")}` }))
    })
  )

/** Stops the start if an endpoint is open by mistake. */
export const accessCheckLayer = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
) => refuseToStart(() => undeclared(api))
