import type { ReactNode } from "react"

/** There is nothing yet: what would be here, and what to do next. */
export const Empty = ({ children, title }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="empty">
    <h2>{title}</h2>
    {children}
  </div>
)
