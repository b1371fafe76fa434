import { QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "@tanstack/react-router"
import { useEffect } from "react"
import { queries } from "./queries.ts"
import { router } from "./router.ts"
import { session } from "./session/session.ts"
import { Toasts } from "./ui/Toasts.tsx"

/** The console: its pages, over one cache of what the server said. */
export const App = () => {
  useEffect(() => {
    void session.start()
    // What was kept is the last user's: another one may be logged in in their place too, by an invitation say.
    let last: string | undefined
    return session.subscribe(() => {
      const user = session.state.kind === "in" ? session.state.profile.id : undefined
      if (last !== undefined && user !== last) queries.clear()
      last = user
    })
  }, [])
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Toasts />
    </QueryClientProvider>
  )
}
