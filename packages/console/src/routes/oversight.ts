import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { auditSearch } from "../pages/oversight/auditSearch.ts"
import { adminsRoute } from "./layouts.ts"

/** What admins look at: answers under way, what was done, and that tenants are apart. */
export const oversightRoutes = [
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/live",
    component: lazyRouteComponent(() => import("../pages/oversight/LivePage.tsx"), "LivePage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/audit",
    validateSearch: auditSearch,
    component: lazyRouteComponent(() => import("../pages/oversight/AuditPage.tsx"), "AuditPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/isolation",
    component: lazyRouteComponent(() => import("../pages/oversight/IsolationPage.tsx"), "IsolationPage")
  })
] as const
