import { Navigate, Outlet, useLocation } from "@tanstack/react-router"
import { useSession } from "../session/useSession.ts"
import { Loading } from "../ui/Loading.tsx"
import { Shell } from "./Shell.tsx"

/** The page in its frame for a user; for anybody else the login, which leads back to it. */
export const OnlyUsers = () => {
  const state = useSession()
  const { href } = useLocation()
  if (state.kind === "starting") return <Loading />
  if (state.kind === "out") return <Navigate to="/login" search={href === "/" ? {} : { to: href }} replace />
  return (
    <Shell profile={state.profile}>
      <Outlet />
    </Shell>
  )
}
