import { Access } from "@llm-saas/api/Access"
import { CallAuthorization, CallBoundary } from "@llm-saas/api/Call"
import { Context } from "effect"
import { contradiction, refuseToStart } from "../http/AccessCheck.ts"

interface Declared {
  readonly _tag: string
  readonly annotations: Context.Context<never>
  readonly middlewares: ReadonlySet<{ readonly key: string }>
}

/** Calls that do not declare who may make them, whose declaration contradicts their middleware, or whose failures are not translated. */
export const undeclared = (calls: Iterable<Declared>): ReadonlyArray<string> =>
  [...calls].flatMap(({ _tag, annotations, middlewares }) => {
    const keys = new Set([...middlewares].map(({ key }) => key))
    return [
      ...contradiction(_tag, Context.getOrUndefined(annotations, Access), keys.has(CallAuthorization.key)),
      ...(keys.has(CallBoundary.key) ? [] : [`${_tag} has no boundary`])
    ]
  })

/** Stops the start if a call is open by mistake. */
export const callAccessCheckLayer = (group: { readonly requests: ReadonlyMap<string, Declared> }) =>
  refuseToStart(() => undeclared(group.requests.values()))
