import { type ReactNode } from "react"
import { offeredLink } from "../../chat/links.ts"

/** A link out of a model's text, with where it leads beside it; text, if it leads nowhere that is offered. */
export const OutLink = ({ children, href }: { readonly href: string | undefined; readonly children: ReactNode }) => {
  const link = offeredLink(href)
  if (link === undefined) return <span>{children}</span>
  const isSaid = typeof children === "string" && (children === link.href || children === link.host)
  return (
    <>
      <a href={link.href} target="_blank" rel="noopener noreferrer nofollow" referrerPolicy="no-referrer">
        {children}
      </a>
      {isSaid ? null : <span className="soft small"> ({link.host})</span>}
    </>
  )
}
