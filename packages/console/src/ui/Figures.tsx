import type { ReactNode } from "react"
import "./figures.css"

/** Numbers that stand for a whole page, side by side. */
export const Figures = ({ children, label }: { readonly label: string; readonly children: ReactNode }) => (
  <dl className="figures" aria-label={label}>
    {children}
  </dl>
)

interface Props {
  readonly title: string
  /** With its unit. */
  readonly value: ReactNode
  /** What it is compared with, or made of. */
  readonly about?: ReactNode
}

/** A number, what it is, and what it is compared with. */
export const Figure = ({ about, title, value }: Props) => (
  <div className="figure">
    <dt>{title}</dt>
    <dd className="figure-value">{value}</dd>
    {about === undefined ? null : <dd className="soft small">{about}</dd>}
  </div>
)
