import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { ToChat } from "../shell/ToChat.tsx"
import { usersRoute } from "./layouts.ts"

/** Pages of conversations. One route for a new one and for those there are, so that the page stays when the first question begins one. */
export const chatRoutes = [
  createRoute({ getParentRoute: () => usersRoute, path: "/", component: ToChat }),
  createRoute({
    getParentRoute: () => usersRoute,
    path: "/chat/{-$conversation}",
    /** `at`: the id of the message that is looked at. */
    validateSearch: ({ at }: Record<string, unknown>): { readonly at?: string } =>
      typeof at === "string" ? { at } : {},
    component: lazyRouteComponent(() => import("../pages/chat/ChatPage.tsx"), "ChatPage")
  })
] as const
