import { Access } from "@llm-saas/api/Access"
import { CallAuthorization, CallBoundary } from "@llm-saas/api/Call"
import { Context } from "effect"
import { contradiction, refuseToStart } from "../http/AccessCheck.ts"

interface Declared {
  readonly _tag: string
  readonly annotations: Context.Context<never>
  readonly middlewares: ReadonlySet<{ readonly key: string }>
}

/** OpenCalls that do not say who may make them, or say one thing and do another, or whose failures would leave as they are. */
export const undeclared = (calls: Iterable<Declared>): ReadonlyArray<string> =>
  [...calls].flatMap(({ _tag, annotations, middlewares }) => {
    const keys = new Set([...middlewares].map(({ key }) => key))
    return [
      ...contradiction(_tag, Context.getOrUndefined(annotations, Access), keys.has(CallAuthorization.key)),
      ...(keys.has(CallBoundary.key) ? [] : [`${_tag} has no boundary`])
    ]
  })

/** The server does not start if a call is open by mistake. */
export const CallAccessCheck = (group: { readonly requests: ReadonlyMap<string, Declared> }) =>
  refuseToStart(() => undeclared(group.requests.values()))
