import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router"
import { adminsRoute } from "./layouts.ts"

const users = [
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/users",
    component: lazyRouteComponent(() => import("../pages/users/UsersPage.tsx"), "UsersPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/users/$user",
    component: lazyRouteComponent(() => import("../pages/users/UserPage.tsx"), "UserPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/invitations",
    component: lazyRouteComponent(() => import("../pages/users/InvitationsPage.tsx"), "InvitationsPage")
  })
] as const

const keys = [
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/keys",
    component: lazyRouteComponent(() => import("../pages/keys/TenantKeysPage.tsx"), "TenantKeysPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/keys/$key",
    component: lazyRouteComponent(() => import("../pages/keys/KeyPage.tsx"), "KeyPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/service-accounts",
    component: lazyRouteComponent(() => import("../pages/keys/ServiceAccountsPage.tsx"), "ServiceAccountsPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/service-accounts/$account",
    component: lazyRouteComponent(() => import("../pages/keys/ServiceAccountPage.tsx"), "ServiceAccountPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/limits",
    component: lazyRouteComponent(() => import("../pages/limits/LimitsPage.tsx"), "LimitsPage")
  })
] as const

const settings = [
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings",
    beforeLoad: () => redirect({ to: "/admin/settings/general", replace: true, throw: true })
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings/general",
    component: lazyRouteComponent(() => import("../pages/settings/GeneralPage.tsx"), "GeneralPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings/content",
    component: lazyRouteComponent(() => import("../pages/settings/ContentPage.tsx"), "ContentPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings/logins",
    component: lazyRouteComponent(() => import("../pages/settings/LoginsPage.tsx"), "LoginsPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings/single-sign-on",
    component: lazyRouteComponent(() => import("../pages/settings/SingleSignOnPage.tsx"), "SingleSignOnPage")
  }),
  createRoute({
    getParentRoute: () => adminsRoute,
    path: "/admin/settings/provider-keys",
    component: lazyRouteComponent(() => import("../pages/settings/ProviderKeysPage.tsx"), "ProviderKeysPage")
  })
] as const

/** Pages of a tenant's admins. */
export const adminRoutes = [...users, ...keys, ...settings] as const
