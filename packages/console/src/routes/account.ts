import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { usersRoute } from "./layouts.ts"

/** Pages of one's own account. */
export const accountRoutes = [
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/sessions",
    component: lazyRouteComponent(() => import("../pages/account/SessionsPage.tsx"), "SessionsPage")
  })
] as const
