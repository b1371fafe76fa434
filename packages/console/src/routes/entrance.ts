import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { rootRoute } from "./layouts.ts"

/** Pages for whoever is not logged in. */
export const entranceRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/login",
    /** `to`: where it goes on, a path of the console. */
    validateSearch: ({ to }: Record<string, unknown>): { readonly to?: string } =>
      typeof to === "string" ? { to } : {},
    component: lazyRouteComponent(() => import("../pages/login/LoginPage.tsx"), "LoginPage")
  })
] as const
