import { Outlet, useRouter } from "@tanstack/react-router"
import { useEffect } from "react"
import { useSession } from "../session/useSession.ts"
import { Loading } from "../ui/Loading.tsx"
import { Shell } from "./Shell.tsx"

/** The page in its frame for a user; for anybody else the login, which leads back to it. */
export const OnlyUsers = () => {
  const state = useSession()
  if (state.kind === "starting") return <Loading />
  if (state.kind === "out") return <ToLogin />
  return (
    <Shell profile={state.profile}>
      <Outlet />
    </Shell>
  )
}

/** Leads to the login and, from there, back to the page that was wanted. Once: not `Navigate`, which leads again with each change of the address. */
const ToLogin = () => {
  const router = useRouter()
  useEffect(() => {
    const { href } = router.state.location
    void router.navigate({ to: "/login", search: href === "/" ? {} : { to: href }, replace: true })
  }, [router])
  return <Loading />
}
