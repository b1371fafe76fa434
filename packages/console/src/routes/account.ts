import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { usersRoute } from "./layouts.ts"

/** Pages of one's own account. */
export const accountRoutes = [
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account",
    component: lazyRouteComponent(() => import("../pages/account/ProfilePage.tsx"), "ProfilePage")
  }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/security",
    component: lazyRouteComponent(() => import("../pages/account/SecurityPage.tsx"), "SecurityPage")
  }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/sessions",
    component: lazyRouteComponent(() => import("../pages/account/SessionsPage.tsx"), "SessionsPage")
  }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/keys",
    component: lazyRouteComponent(() => import("../pages/account/KeysPage.tsx"), "KeysPage")
  }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/keys/$key",
    component: lazyRouteComponent(() => import("../pages/keys/KeyPage.tsx"), "OwnKeyPage")
  }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/account/tenants",
    component: lazyRouteComponent(() => import("../pages/account/TenantsPage.tsx"), "TenantsPage")
  })
] as const
