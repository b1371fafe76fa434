import { Context, Effect } from "effect"

/** What the log line of the current request needs, filled while it is served. */
export interface RequestRecord {
  readonly id: string
  /** The address of the TCP peer. */
  readonly client: string
  /** The template, never the path: a path and a query may contain secrets. */
  route: string
  tenant: string | undefined
  user: string | undefined
}

/** The record of the current request; outside of a request, an unused one. */
export const CurrentRequest = Context.Reference<RequestRecord>("@llm-saas/server/http/CurrentRequest", {
  defaultValue: () => ({ id: "-", client: "-", route: "-", tenant: undefined, user: undefined })
})

/** Records the tenant and user once their token is verified. */
export const noteActor = (tenant: string, user: string): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const record = fiber.getRef(CurrentRequest)
    record.tenant = tenant
    record.user = user
    return Effect.void
  })
