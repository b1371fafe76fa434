import { useRouter } from "@tanstack/react-router"
import { useEffect } from "react"
import { Loading } from "../ui/Loading.tsx"

/** The console's start is the chat. */
export const ToChat = () => {
  const router = useRouter()
  useEffect(() => {
    void router.navigate({ to: "/chat/{-$conversation}", params: { conversation: undefined }, replace: true })
  }, [router])
  return <Loading />
}
