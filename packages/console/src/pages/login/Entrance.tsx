import { type ReactNode, useEffect } from "react"
import { SERVER_URL } from "../../Place.ts"
import { useAbout } from "./useAbout.ts"
import "./entrance.css"

/** The frame of pages for those who are not logged in. */
export const Entrance = ({
  children,
  title,
  wide = false
}: {
  readonly title: string
  readonly children: ReactNode
  readonly wide?: boolean
}) => {
  const about = useAbout()
  useEffect(() => {
    document.title = `${title} · Console`
  }, [title])
  return (
    <main className={wide ? "entrance wide" : "entrance"}>
      <div className="entrance-name">{about.data?.name ?? "Console"}</div>
      <h1>{title}</h1>
      {children}
      <p className="small soft entrance-foot">
        <a href={`${SERVER_URL}/docs`}>API documentation</a>
      </p>
    </main>
  )
}
