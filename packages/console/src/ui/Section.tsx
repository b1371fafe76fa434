import { type ReactNode, useId } from "react"

interface Props {
  readonly title: string
  /** What it is about, in a sentence. */
  readonly about?: ReactNode
  /** Its buttons. */
  readonly actions?: ReactNode
  readonly children?: ReactNode
}

/** A part of a page, with a title of its own. */
export const Section = ({ about, actions, children, title }: Props) => {
  const id = useId()
  return (
    <section className="stack" aria-labelledby={id}>
      <div className="row between section-head">
        <div className="stack tight">
          <h2 id={id}>{title}</h2>
          {about === undefined ? null : <p className="soft small">{about}</p>}
        </div>
        {actions === undefined ? null : <div className="row">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
