import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { rootRoute } from "./layouts.ts"

/** Those of these members of a search that are texts. */
const texts =
  <Name extends string>(...names: ReadonlyArray<Name>) =>
  (search: Record<string, unknown>): { readonly [name in Name]?: string } => {
    const found: { [name in Name]?: string } = {}
    for (const name of names) {
      const value = search[name]
      if (typeof value === "string") found[name] = value
    }
    return found
  }

/** Pages for whoever is not logged in. */
export const entranceRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/login",
    /** `to`: where it goes on, a path of the console. `email` and `tenant`: what is known already. */
    validateSearch: texts("to", "email", "tenant"),
    component: lazyRouteComponent(() => import("../pages/login/LoginPage.tsx"), "LoginPage")
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/forgotten",
    validateSearch: texts("email"),
    component: lazyRouteComponent(() => import("../pages/login/ForgottenPage.tsx"), "ForgottenPage")
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/register",
    /** `tenant`: the id of the account's tenant. */
    validateSearch: texts("tenant"),
    component: lazyRouteComponent(() => import("../pages/login/RegisterPage.tsx"), "RegisterPage")
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/setup",
    component: lazyRouteComponent(() => import("../pages/setup/SetupPage.tsx"), "SetupPage")
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/invitation",
    component: lazyRouteComponent(() => import("../pages/invitation/InvitationPage.tsx"), "InvitationPage")
  })
] as const
