import { type ReactNode, useEffect } from "react"

interface Props {
  readonly title: string
  /** What the page is for, in a sentence. */
  readonly about?: ReactNode
  /** Its buttons. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A page: its title, also that of the tab, what it is for, and its buttons. */
export const Page = ({ about, actions, children, title }: Props) => {
  useEffect(() => {
    document.title = `${title} · Console`
  }, [title])
  return (
    <div className="page">
      <div className="page-head">
        <div className="stack tight">
          <h1>{title}</h1>
          {about === undefined ? null : <p className="soft">{about}</p>}
        </div>
        {actions === undefined ? null : <div className="row">{actions}</div>}
      </div>
      {children}
    </div>
  )
}
