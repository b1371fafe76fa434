import { Context, Effect } from "effect"

/** What is known of the request being served, for its line in the log. Filled while it is served. */
export interface RequestRecord {
  readonly id: string
  /** Who is connected: the TCP peer. */
  readonly client: string
  /** The template, never the path: a path and a query may carry what nobody may log. */
  route: string
  tenant: string | undefined
  user: string | undefined
}

/** The record of the request being served; outside of a request, one that nobody reads. */
export const CurrentRequest = Context.Reference<RequestRecord>("@llm-saas/server/http/CurrentRequest", {
  defaultValue: () => ({ id: "-", client: "-", route: "-", tenant: undefined, user: undefined })
})

/** Notes who is asking, once a token says so. */
export const noteActor = (tenant: string, user: string): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const record = fiber.getRef(CurrentRequest)
    record.tenant = tenant
    record.user = user
    return Effect.void
  })
