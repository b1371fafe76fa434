import { LlmSaasError } from "@llm-saas/client"
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query"
import { session } from "./session/session.ts"

/** The server does not know who asks any more: the session is over, and its pages are left. */
const ended = (error: unknown) => {
  if (error instanceof LlmSaasError && error.code === "unauthenticated") session.ended()
}

/** What the server said, for all pages. */
export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: ended }),
  mutationCache: new MutationCache({ onError: ended }),
  defaultOptions: {
    // The client repeats what may be repeated (packages/client/src/plain/Transport.ts).
    queries: { retry: false, staleTime: 10_000 },
    mutations: { retry: false }
  }
})
