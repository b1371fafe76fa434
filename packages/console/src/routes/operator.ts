import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router"
import { eventsSearch, operatorUsageSearch, pricesSearch, tenantsSearch } from "../pages/operator/search.ts"
import { rootRoute } from "./layouts.ts"

/** Pages of the operator, who has a token of their own. */
const operatorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/operator",
  component: lazyRouteComponent(() => import("../pages/operator/OnlyOperators.tsx"), "OnlyOperators")
})

const pages = [
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/operator/tenants", replace: true })
    }
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/tenants",
    validateSearch: tenantsSearch,
    component: lazyRouteComponent(() => import("../pages/operator/TenantsPage.tsx"), "TenantsPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/tenants/$tenant",
    component: lazyRouteComponent(() => import("../pages/operator/TenantPage.tsx"), "TenantPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/plans",
    component: lazyRouteComponent(() => import("../pages/operator/PlansPage.tsx"), "PlansPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/plans/new",
    component: lazyRouteComponent(() => import("../pages/operator/PlanPage.tsx"), "NewPlanPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/plans/$plan",
    component: lazyRouteComponent(() => import("../pages/operator/PlanPage.tsx"), "PlanPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/prices",
    validateSearch: pricesSearch,
    component: lazyRouteComponent(() => import("../pages/operator/PricesPage.tsx"), "PricesPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/usage",
    validateSearch: operatorUsageSearch,
    component: lazyRouteComponent(() => import("../pages/operator/OperatorUsagePage.tsx"), "OperatorUsagePage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/health",
    component: lazyRouteComponent(() => import("../pages/operator/HealthPage.tsx"), "HealthPage")
  }),
  createRoute({
    getParentRoute: () => operatorRoute,
    path: "/events",
    validateSearch: eventsSearch,
    component: lazyRouteComponent(() => import("../pages/operator/EventsPage.tsx"), "EventsPage")
  })
] as const

export const operatorRoutes = [operatorRoute.addChildren([...pages])] as const
