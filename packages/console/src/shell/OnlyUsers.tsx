import { Outlet } from "@tanstack/react-router"
import { useSession } from "../session/useSession.ts"
import { Loading } from "../ui/Loading.tsx"
import { Shell } from "./Shell.tsx"
import { ToLogin } from "./ToLogin.tsx"

/** The page in its frame for a user; for anybody else the login, which leads back to it. */
export const OnlyUsers = () => {
  const state = useSession()
  if (state.kind === "starting") return <Loading />
  if (state.kind === "out") return <ToLogin />
  return (
    <Shell key={state.profile.id} profile={state.profile}>
      <Outlet />
    </Shell>
  )
}
