import { useRouter } from "@tanstack/react-router"
import { useEffect } from "react"
import { CONSOLE_PATH } from "../../Place.ts"
import { forgetChallenge } from "../../session/Challenge.ts"
import { destinationOf } from "../../session/Destination.ts"
import { Loading } from "../../ui/Loading.tsx"

/** Leads on to `to`, if that is a page of the console, and else to its start. */
export const GoOn = ({ to }: { readonly to?: string | undefined }) => {
  const { history } = useRouter()
  useEffect(() => {
    // The login is over: a challenge that comes later is not of one that this tab began.
    forgetChallenge()
    const place = new URL(CONSOLE_PATH, location.origin)
    history.replace(CONSOLE_PATH.replace(/\/$/u, "") + destinationOf(to, place))
  }, [history, to])
  return <Loading />
}
