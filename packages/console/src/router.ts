import { createRouter } from "@tanstack/react-router"
import { CONSOLE_PATH } from "./Place.ts"
import { accountRoutes } from "./routes/account.ts"
import { adminRoutes } from "./routes/admin.ts"
import { chatRoutes } from "./routes/chat.ts"
import { entranceRoutes } from "./routes/entrance.ts"
import { operatorRoutes } from "./routes/operator.ts"
import { oversightRoutes } from "./routes/oversight.ts"
import { usageRoutes } from "./routes/usage.ts"
import { adminsRoute, rootRoute, usersRoute } from "./routes/layouts.ts"
import { Failure } from "./ui/Failure.tsx"
import { Loading } from "./ui/Loading.tsx"

/** All addresses of the console. Each page is a chunk of its own, which is loaded when it is opened or pointed at. */
export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...entranceRoutes,
    ...operatorRoutes,
    usersRoute.addChildren([
      ...chatRoutes,
      ...accountRoutes,
      ...usageRoutes,
      adminsRoute.addChildren([...adminRoutes, ...oversightRoutes])
    ])
  ]),
  basepath: CONSOLE_PATH,
  defaultPreload: "intent",
  scrollRestoration: false,
  // What a page's `validateSearch` does not take leaves its address. Without, it would be in `useSearch` as it was typed.
  search: { strict: true },
  defaultPendingComponent: Loading,
  defaultErrorComponent: Failure
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
