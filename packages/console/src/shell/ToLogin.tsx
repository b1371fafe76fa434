import { useRouter } from "@tanstack/react-router"
import { useEffect } from "react"
import { Loading } from "../ui/Loading.tsx"

/** Leads to the login and, from there, back to the page that was wanted. Once: not `Navigate`, which leads again with each change of the address. */
export const ToLogin = () => {
  const router = useRouter()
  useEffect(() => {
    const { href, pathname } = router.state.location
    if (pathname === "/login") return
    void router.navigate({ to: "/login", search: href === "/" ? {} : { to: href }, replace: true })
  }, [router])
  return <Loading />
}
