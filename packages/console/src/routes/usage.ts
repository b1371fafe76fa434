import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { usageSearch } from "../pages/usage/search.ts"
import { usersRoute } from "./layouts.ts"

/** What was used: one's own, and for admins all of the tenant's. */
export const usageRoutes = [
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/usage",
    validateSearch: usageSearch,
    component: lazyRouteComponent(() => import("../pages/usage/UsagePage.tsx"), "UsagePage")
  })
] as const
