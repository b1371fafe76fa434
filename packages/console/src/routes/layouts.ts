import { createRootRoute, createRoute } from "@tanstack/react-router"
import { NotFound } from "../shell/NotFound.tsx"
import { OnlyAdmins } from "../shell/OnlyAdmins.tsx"
import { OnlyUsers } from "../shell/OnlyUsers.tsx"

export const rootRoute = createRootRoute({ notFoundComponent: NotFound })

/** Pages of users: whoever is not logged in is led to the login, and back. */
export const usersRoute = createRoute({ getParentRoute: () => rootRoute, id: "users", component: OnlyUsers })

/** Pages of admins: other users are told whose they are. */
export const adminsRoute = createRoute({ getParentRoute: () => usersRoute, id: "admins", component: OnlyAdmins })
